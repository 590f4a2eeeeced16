package cli

// onlyOwner has nothing to check: the folder below the person's profile carries that person's access list.
func onlyOwner(string) (bool, error) { return true, nil }
