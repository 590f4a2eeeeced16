package agentwire

// WebSocket close codes of the agent's connection, beyond RFC 6455's.
const (
	CloseProtocol = 4400 // the agent sent what the daemon cannot take; the reason says what
	CloseRevoked  = 4403 // the daemon does not trust this agent, or no longer
	CloseSilent   = 4408 // nothing was heard from the agent for too long
	CloseReplaced = 4409 // a newer session of the same agent took over
	CloseCloned   = 4423 // two agents use one identity; sessions are refused for a while
	CloseShutdown = 4503 // the daemon stops; come back
	CloseBusy     = 4507 // the daemon's store does not take more now; come back later and resume
)
