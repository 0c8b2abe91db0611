import type { Dashboard } from "./dashboard.ts";

const CITY = 'namespace="$namespace", city=~"$city"';

export const city: Dashboard = {
  uid: "city-operator-city",
  title: "City operator / City",
  description:
    "What the leader knows of single Cities. Who holds one, and why: kubectl describe city. What its ticks decided: make explain.",
  variables: [
    {
      name: "city",
      values: 'label_values(dispatch_operator_city_commit_age_seconds{namespace="$namespace"}, city)',
      isMulti: true,
    },
  ],
  rows: [
    {
      title: "City $city",
      panels: [
        {
          title: "Age of the last commit",
          description:
            "A saw between 0 and the period, plus a second by which the operator learns of it. A ramp: nobody commits.",
          kind: "timeseries",
          unit: "s",
          width: 24,
          queries: [
            {
              query: `max by (city) (dispatch_operator_city_commit_age_seconds{${CITY}})`,
              legend: "{{city}}",
            },
          ],
        },
        {
          title: "Slots without a tick, last hour",
          description: "Counted when the next tick is in.",
          kind: "timeseries",
          unit: "short",
          width: 12,
          queries: [
            {
              query: `sum by (city) (increase(dispatch_operator_city_missed_slots_total{${CITY}}[1h]))`,
              legend: "{{city}}",
            },
          ],
        },
        {
          title: "Moves, last hour",
          description:
            "Handoffs and takeovers. A City that moves again and again does harm, or cannot be ticked by anybody.",
          kind: "timeseries",
          unit: "short",
          width: 12,
          queries: [
            {
              query: `sum by (city) (increase(dispatch_operator_city_moves_total{${CITY}}[1h]))`,
              legend: "{{city}}",
            },
          ],
        },
        {
          title: "Restless Cities of the last day",
          description: "The twenty Cities with the most missed slots, of all.",
          kind: "table",
          unit: "short",
          width: 12,
          queries: [
            {
              query:
                'topk(20, sum by (city) (increase(dispatch_operator_city_missed_slots_total{namespace="$namespace"}[1d])))',
              legend: "{{city}}",
            },
          ],
        },
        {
          title: "Most moved Cities of the last day",
          description: "The twenty Cities that moved most, of all.",
          kind: "table",
          unit: "short",
          width: 12,
          queries: [
            {
              query:
                'topk(20, sum by (city) (increase(dispatch_operator_city_moves_total{namespace="$namespace"}[1d])))',
              legend: "{{city}}",
            },
          ],
        },
      ],
    },
  ],
};
