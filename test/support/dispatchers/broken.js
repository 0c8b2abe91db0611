throw new Error("the module makes a mistake while it loads");
