package feed

import (
	"context"
	"sync"
)

// Runner carries out requests, each in a goroutine of its own. The number of them is bounded by what a person can click.
type Runner struct {
	post Post

	mu      sync.Mutex
	closed  bool
	next    int
	cancels map[int]context.CancelFunc
	wg      sync.WaitGroup
}

// NewRunner makes a Runner that posts answers by post.
func NewRunner(post Post) *Runner {
	return &Runner{post: post, cancels: map[int]context.CancelFunc{}}
}

// Close cancels what is under way and waits for it. No answer is given any more.
func (r *Runner) Close() {
	r.stop()
	r.wg.Wait()
}

func (r *Runner) stop() {
	r.mu.Lock()
	r.closed = true
	cancels := r.cancels
	r.cancels = map[int]context.CancelFunc{}
	r.mu.Unlock()
	for _, cancel := range cancels {
		cancel()
	}
}

// begin counts a request in. The ctx it gives ends with the given one and with the Runner.
func (r *Runner) begin(ctx context.Context) (_ context.Context, end func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || ctx.Err() != nil {
		return nil, nil, false
	}
	ctx, cancel := context.WithCancel(ctx)
	id := r.next
	r.next++
	r.cancels[id] = cancel
	r.wg.Add(1)
	return ctx, func() {
		r.mu.Lock()
		delete(r.cancels, id)
		r.mu.Unlock()
		cancel()
		r.wg.Done()
	}, true
}

// Call carries out ask in a goroutine and gives its answer to done on the UI goroutine, unless ctx (the page's, ended by leaving
// it) or the Runner has ended by then: then done is never called. A nil done is for requests whose answer nobody needs.
func Call[T any](ctx context.Context, r *Runner, ask func(context.Context) (T, error), done func(T, error)) {
	ctx, end, ok := r.begin(ctx)
	if !ok {
		return
	}
	go func() {
		defer end()
		v, err := ask(ctx)
		if done != nil {
			deliver(ctx, r.post, func() { done(v, err) })
		}
	}()
}

// Do is Call for a request that answers nothing but an error.
func Do(ctx context.Context, r *Runner, ask func(context.Context) error, done func(error)) {
	var answer func(struct{}, error)
	if done != nil {
		answer = func(_ struct{}, err error) { done(err) }
	}
	Call(ctx, r, func(ctx context.Context) (struct{}, error) { return struct{}{}, ask(ctx) }, answer)
}
