package app

import (
	"runtime/debug"
	"runtime/metrics"
)

const (
	// What the garbage collector may let lie: Go's default, as much as lives, would cost a daemon with ten thousand idle agents 300 MB.
	garbageMost = 96 << 20
	// In percent of what lives: the least, below which collecting would take too much of the processor.
	garbageLeast   = 20
	garbageDefault = 100
)

// collector keeps the garbage that lies about within bounds. It belongs to one goroutine.
type collector struct{ percent int }

// tune follows what lives now: the objects on the heap, and the stacks, which the collector counts as well.
func (c *collector) tune() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(live)
	percent := garbagePercent(live[0].Value.Uint64() + live[1].Value.Uint64())
	if percent != c.percent {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
}

// garbagePercent is the setting for so much that lives, in steps, so that it does not change each time.
func garbagePercent(live uint64) int {
	const step = 10
	percent := garbageDefault
	if live > garbageMost {
		percent = int(garbageMost * 100 / live)
	}
	return max(percent/step*step, garbageLeast)
}
