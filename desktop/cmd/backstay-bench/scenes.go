//go:build linux

package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/desktop/internal/widgets"
)

var scenes = map[string]func(*bench) error{"log": (*bench).log, "hosts": (*bench).scroll, "jobs": (*bench).open, "idle": (*bench).idle}

// fillLimit is how long a log may take to be filled.
const fillLimit = 5 * time.Minute

// enter signs in at a made-up daemon and opens a page.
func (b *bench) enter(d feed.Daemon, r nav.Route) {
	b.do(func() {
		b.shell.Enter(d)
		b.shell.Navigate(r)
	})
	time.Sleep(settle)
}

// log follows a job whose log is long and grows fast.
func (b *bench) log() error {
	d := sample.NewFlood(time.Now(), b.lines, b.rate)
	empty, err := resident()
	if err != nil {
		return err
	}
	b.enter(d, nav.Route{Page: nav.Job, ID: string(d.Flooded)})
	select {
	case <-d.Filled:
	case <-time.After(fillLimit):
		return fmt.Errorf("the log was not filled within %v", fillLimit)
	}
	time.Sleep(2 * settle)
	full, err := resident()
	if err != nil {
		return err
	}
	from, err := readUsage(b.thread)
	if err != nil {
		return err
	}
	var waits []time.Duration
	var frames []time.Duration
	err = profiled(b.profile, func() error {
		frames = b.counting(func() {
			stop := stalls()
			time.Sleep(time.Duration(b.seconds) * time.Second)
			waits = stop()
		})
		return nil
	})
	if err != nil {
		return err
	}
	to, err := readUsage(b.thread)
	if err != nil {
		return err
	}
	end, err := resident()
	if err != nil {
		return err
	}
	say("frames", float64(len(frames)))
	sayTimes("frame-cpu", frames)
	sayTimes("ui-wait", waits)
	say("empty-MB", empty)
	say("filled-MB", full)
	say("end-MB", end)
	say("heap-MB", live())
	sayShares(from, to)
	return nil
}

// scroll turns the wheel over the table of hosts.
func (b *bench) scroll() error {
	b.enter(sample.Crowd(time.Now(), b.hosts, b.jobs), nav.Route{Page: nav.Hosts})
	var table *container.Scroll
	b.do(func() { table = scrollOf(b.window.Canvas().Content()) })
	if table == nil {
		return errors.New("there is no table on the page of hosts")
	}
	const step = 150 // three rows
	down := float32(-step)
	return b.repeat("frame", 10*b.seconds, func() {
		before := table.Offset.Y
		table.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, down)})
		if table.Offset.Y == before { // at an end
			down = -down
		}
	}, nil)
}

// repeat paints what f does again and again, and what restores it, which does not count, and tells the times.
func (b *bench) repeat(metric string, times int, f, restore func()) error {
	var passed, took []time.Duration
	err := profiled(b.profile, func() error {
		for range times {
			p, c, err := b.paint(f)
			if err != nil {
				return err
			}
			passed, took = append(passed, p), append(took, c)
			if restore == nil {
				continue
			}
			if _, _, err := b.paint(restore); err != nil {
				return err
			}
			time.Sleep(settle / 10)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(passed)
	slices.Sort(took)
	sayTimes(metric+"-cpu", took)
	sayTimes(metric, passed)
	return nil
}

// scrollOf finds the scrolled part of the first table below an object.
func scrollOf(o fyne.CanvasObject) *container.Scroll {
	var below []fyne.CanvasObject
	switch o := o.(type) {
	case *fyne.Container:
		below = o.Objects
	case fyne.Widget:
		below = test.WidgetRenderer(o).Objects()
		if _, table := o.(*widgets.Table); table {
			for _, c := range below {
				if s, ok := c.(*container.Scroll); ok {
					return s
				}
			}
		}
	}
	for _, c := range below {
		if s := scrollOf(c); s != nil {
			return s
		}
	}
	return nil
}

// open goes to the page of jobs again and again.
func (b *bench) open() error {
	b.enter(sample.Crowd(time.Now(), b.hosts, b.jobs), nav.Route{Page: nav.Overview})
	return b.repeat("open", max(b.seconds, 1), func() { b.shell.Navigate(nav.Route{Page: nav.Jobs}) },
		func() { b.shell.Navigate(nav.Route{Page: nav.Overview}) })
}

// idle stays on each page of a fleet where nothing happens.
func (b *bench) idle() error {
	d := sample.Crowd(time.Now(), b.hosts, b.jobs)
	b.enter(d, nav.Route{Page: nav.Overview})
	for _, page := range []nav.Name{nav.Overview, nav.Hosts, nav.Jobs, nav.Snapshots, nav.Plans, nav.Repositories, nav.Access, nav.Settings} {
		b.do(func() { b.shell.Navigate(nav.Route{Page: page}) })
		time.Sleep(settle)
		from, err := readUsage(b.thread)
		if err != nil {
			return err
		}
		time.Sleep(time.Duration(b.seconds) * time.Second)
		to, err := readUsage(b.thread)
		if err != nil {
			return err
		}
		fmt.Printf("page %s\n", page)
		sayShares(from, to)
	}
	return nil
}

func sayShares(from, to usage) {
	say("whole-percent", share(from, to, whole))
	say("own-percent", share(from, to, own))
	say("ui-percent", share(from, to, ui))
	say("raster-percent", share(from, to, raster))
}
