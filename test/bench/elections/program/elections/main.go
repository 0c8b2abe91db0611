// Command elections runs one client-go leader election per city, as a program would that dispatches cities without an
// operator. Whoever leads a city writes a ConfigMap of that city once a tick, as a stand-in for its decisions, without
// asking anybody again whether it still leads. It prints one line of JSON per event.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

type event struct {
	AtMs     int64  `json:"atMs"`
	Kind     string `json:"kind"`
	City     string `json:"city"`
	Identity string `json:"identity"`
	Leader   string `json:"leader,omitempty"`
	Error    string `json:"error,omitempty"`
}

var (
	kubeconfig = flag.String("kubeconfig", "", "path of the kubeconfig")
	identity   = flag.String("identity", "", "name of this candidate")
	cities     = flag.Int("cities", 1, "how many cities")
	lease      = flag.Duration("lease", 15*time.Second, "LeaseDuration")
	renew      = flag.Duration("renew", 10*time.Second, "RenewDeadline")
	retry      = flag.Duration("retry", 2*time.Second, "RetryPeriod")
	tick       = flag.Duration("tick", 0, "how often a leader writes for its city; 0: never")
	printing   sync.Mutex
)

func say(kind, city, leader string, err error) {
	said := event{AtMs: time.Now().UnixMilli(), Kind: kind, City: city, Identity: *identity, Leader: leader}
	if err != nil {
		said.Error = err.Error()
	}
	line, _ := json.Marshal(said)
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(line))
}

func main() {
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// The default limit of five requests a second would be the first thing to fail.
	config.QPS = -1
	client := kubernetes.NewForConfigOrDie(config)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var running sync.WaitGroup
	for index := range *cities {
		city := fmt.Sprintf("elected-%d", index+1)
		running.Add(1)
		go func() {
			defer running.Done()
			elect(ctx, client, city)
		}()
		// So that renewals do not come all at once for ever.
		time.Sleep(*retry / time.Duration(*cities))
	}
	running.Wait()
}

func elect(ctx context.Context, client kubernetes.Interface, city string) {
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: city, Namespace: "default"},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: *identity},
	}
	for ctx.Err() == nil {
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock:            lock,
			LeaseDuration:   *lease,
			RenewDeadline:   *renew,
			RetryPeriod:     *retry,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(leading context.Context) { lead(leading, client, city) },
				OnStoppedLeading: func() { say("stopped", city, "", nil) },
			},
		})
	}
}

func lead(leading context.Context, client kubernetes.Interface, city string) {
	say("leading", city, "", nil)
	if *tick == 0 {
		return
	}
	for leading.Err() == nil {
		write(client, city)
		time.Sleep(*tick)
	}
}

// write changes the city's ConfigMap, whoever leads by now: nothing in the API asks for a proof of leadership.
func write(client kubernetes.Interface, city string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	decisions := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: city, Namespace: "default"},
		Data:       map[string]string{"decidedBy": *identity},
	}
	maps := client.CoreV1().ConfigMaps("default")
	_, err := maps.Update(ctx, decisions, metav1.UpdateOptions{})
	if err != nil {
		_, err = maps.Create(ctx, decisions, metav1.CreateOptions{})
	}
	present, readErr := client.CoordinationV1().Leases("default").Get(ctx, city, metav1.GetOptions{})
	leader := ""
	if readErr == nil && present.Spec.HolderIdentity != nil {
		leader = *present.Spec.HolderIdentity
	}
	say("wrote", city, leader, err)
}
