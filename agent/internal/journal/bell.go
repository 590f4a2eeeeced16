package journal

// Sound is what a bell says to look at.
type Sound byte

// The sounds.
const (
	Lines Sound = 'l' // there are more lines in the spool
	State Sound = 's' // anything else changed: progress, processes, outcome, desired state
)

// State gets a token when something else may have changed. It is full at one: a listener that is behind looks once.
func (b *Bell) State() <-chan struct{} { return b.state }

// coalesce puts a token into c unless one is there.
func coalesce(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
