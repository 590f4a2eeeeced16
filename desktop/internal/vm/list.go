package vm

// List is a list that the daemon gives whole, such as its users. Ask tells when to ask for it; the answer goes to Took.
type List[T any] struct {
	items   []T
	have    bool
	loading bool
	again   bool
	err     error
}

// Ask tells whether the list should be asked for now: at first, and after Again or Retry. The answer has to be handed to Took.
func (l *List[T]) Ask() bool {
	if l.loading || l.have && !l.again || l.err != nil {
		return false
	}
	l.loading, l.again = true, false
	return true
}

// Again says that the list has changed, or may have.
func (l *List[T]) Again() { l.again, l.err = true, nil }

// Took takes the answer. A list that was there before stays when it could not be read anew.
func (l *List[T]) Took(items []T, err error) {
	l.loading, l.err = false, err
	if err == nil {
		l.items, l.have = items, true
	}
}

// Items gives what is there.
func (l *List[T]) Items() []T { return l.items }
