// Package prefs keeps what a person chose in the console on this computer: the daemons known (profiles), theme, density,
// language, notifications, the window's size, the page that was open, how tables are sorted. It is one JSON file in the
// account's configuration folder. Session tokens are not in it: they lie in the OS keyring (Vault), or in memory only where a
// computer has none.
//
// Prefs belongs to the UI goroutine and never touches a file: a change is handed to the Saver's goroutine, which writes the newest
// state after a short while and once more on Close. Vault's methods block and are called off the UI goroutine.
package prefs

import (
	"maps"
	"slices"

	"github.com/backstay/backstay/desktop/internal/nav"
)

// Profile is a daemon that is known here.
type Profile struct {
	Address string `json:"address"` // https://host:port
	Pin     string `json:"pin"`     // of its certificate authority, as confirmed by the person
	Name    string `json:"name"`    // shown; the address's host unless renamed
	User    string `json:"user,omitempty"`
}

// Sort is how a table is sorted.
type Sort struct {
	Column string `json:"column"`
	Down   bool   `json:"down,omitempty"`
}

// Data is the content of the file.
type Data struct {
	Profiles      []Profile       `json:"profiles,omitempty"`
	Current       string          `json:"current,omitempty"` // address of the profile in use
	Theme         string          `json:"theme,omitempty"`   // light, dark; "" follows the system
	Density       string          `json:"density,omitempty"` // compact; "" is comfortable
	Language      string          `json:"language,omitempty"`
	Quiet         bool            `json:"quiet,omitempty"` // no notifications of failures
	Width         float32         `json:"width,omitempty"`
	Height        float32         `json:"height,omitempty"`
	Page          nav.Route       `json:"page"`
	Sorts         map[string]Sort `json:"sorts,omitempty"` // by table
	WrapLog       bool            `json:"wrap_log,omitempty"`
	RememberLogin bool            `json:"remember_login,omitempty"`
}

func (d Data) clone() Data {
	d.Profiles = slices.Clone(d.Profiles)
	d.Sorts = maps.Clone(d.Sorts)
	return d
}

// Prefs is what was chosen, for the UI goroutine.
type Prefs struct {
	data Data
	save func(Data) // takes the newest state; does not block
}

// New gives preferences that begin with d and hand every change to save, which must not block. A nil save keeps them in memory.
func New(d Data, save func(Data)) *Prefs {
	if save == nil {
		save = func(Data) {}
	}
	return &Prefs{data: d.clone(), save: save}
}

// Get gives all of it. It is the caller's.
func (p *Prefs) Get() Data { return p.data.clone() }

// Change applies f and saves when something is different.
func (p *Prefs) Change(f func(*Data)) {
	before := p.data.clone()
	f(&p.data)
	if !before.equal(p.data) {
		p.save(p.data.clone())
	}
}

func (d Data) equal(o Data) bool {
	same := slices.Equal(d.Profiles, o.Profiles) && maps.Equal(d.Sorts, o.Sorts)
	d.Profiles, o.Profiles, d.Sorts, o.Sorts = nil, nil, nil, nil
	type plain struct {
		Current, Theme, Density, Language string
		Quiet, WrapLog, RememberLogin     bool
		Width, Height                     float32
		Page                              nav.Route
	}
	of := func(d Data) plain {
		return plain{d.Current, d.Theme, d.Density, d.Language, d.Quiet, d.WrapLog, d.RememberLogin, d.Width, d.Height, d.Page}
	}
	return same && of(d) == of(o)
}

// Profile gives the profile of an address.
func (p *Prefs) Profile(address string) (Profile, bool) {
	for _, v := range p.data.Profiles {
		if v.Address == address {
			return v, true
		}
	}
	return Profile{}, false
}

// PutProfile adds a profile, or replaces the one of the same address, and makes it the current one.
func (p *Prefs) PutProfile(v Profile) {
	p.Change(func(d *Data) {
		d.Current = v.Address
		for i := range d.Profiles {
			if d.Profiles[i].Address == v.Address {
				d.Profiles[i] = v
				return
			}
		}
		d.Profiles = append(d.Profiles, v)
	})
}

// DropProfile forgets a daemon.
func (p *Prefs) DropProfile(address string) {
	p.Change(func(d *Data) {
		d.Profiles = slices.DeleteFunc(d.Profiles, func(v Profile) bool { return v.Address == address })
		if d.Current == address {
			d.Current = ""
		}
	})
}

// SortOf gives how a table is sorted, or the default.
func (p *Prefs) SortOf(table string, def Sort) Sort {
	if s, ok := p.data.Sorts[table]; ok {
		return s
	}
	return def
}

// SetSort remembers how a table is sorted.
func (p *Prefs) SetSort(table string, s Sort) {
	p.Change(func(d *Data) {
		if d.Sorts == nil {
			d.Sorts = map[string]Sort{}
		}
		d.Sorts[table] = s
	})
}
