package joblog_test

func childMain() bool { return false }
