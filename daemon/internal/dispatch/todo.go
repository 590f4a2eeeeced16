package dispatch

import (
	"sync"

	"github.com/backstay/backstay/shared/fleet"
)

// need says what a host has to be looked after for.
type need uint8

const (
	needJobs need = 1 << iota
	needConfig
)

// todo is the list of hosts that need a look, each once, in the order they came. It is bounded by the number of hosts: what comes
// again merges. No host is with two workers at a time.
type todo struct {
	bell chan struct{} // holds one: there may be work

	mu    sync.Mutex
	queue []fleet.HostID
	hosts map[fleet.HostID]need // queued or with a worker; what was added since the worker took it
}

func newTodo() *todo {
	return &todo{bell: make(chan struct{}, 1), hosts: map[fleet.HostID]need{}}
}

func (t *todo) add(host fleet.HostID, n need) {
	t.mu.Lock()
	has, there := t.hosts[host]
	if !there {
		t.queue = append(t.queue, host)
	}
	t.hosts[host] = has | n
	t.mu.Unlock()
	t.ring()
}

func (t *todo) ring() {
	select {
	case t.bell <- struct{}{}:
	default: // rung already
	}
}

// take gives the next host to a worker, who calls done. more says that another worker could help.
func (t *todo) take() (host fleet.HostID, n need, more, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		return "", 0, false, false
	}
	host = t.queue[0]
	t.queue = t.queue[1:]
	n = t.hosts[host]
	t.hosts[host] = 0
	return host, n, len(t.queue) > 0, true
}

// done ends a worker's turn with a host; what was added meanwhile gets the host another one.
func (t *todo) done(host fleet.HostID) {
	t.mu.Lock()
	again := t.hosts[host] != 0
	if again {
		t.queue = append(t.queue, host)
	} else {
		delete(t.hosts, host)
	}
	t.mu.Unlock()
	if again {
		t.ring()
	}
}
