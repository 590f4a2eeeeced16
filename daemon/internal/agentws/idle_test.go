package agentws_test

func serveIdle() bool { return false }
