package pages

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// skewNoted is how far a host's clock may be off before it is said.
const skewNoted = 2 * time.Second

// factsCard is the column of facts: the host's own, and its plans.
type factsCard struct {
	p     *host
	root  *fyne.Container
	facts []fact
	plans []planFact
	drawn bool
}

// fact is one line. A noted one is worth a look.
type fact struct {
	key, value string
	noted      bool
}

// planFact is one plan of the host.
type planFact struct {
	id                      fleet.PlanID
	name, paths, repository string
	when                    string // it runs, and runs next
	paused                  bool
}

func newFactsCard(p *host) *factsCard {
	return &factsCard{p: p, root: widgets.VFlex(theme.Gap)}
}

func (c *factsCard) show() {
	h := c.p.d.Fleet.Host(c.p.id)
	if h == nil {
		return
	}
	facts, plans := c.factsOf(h), c.plansOf()
	if c.drawn && slices.Equal(facts, c.facts) && slices.Equal(plans, c.plans) {
		return
	}
	c.drawn, c.facts, c.plans = true, facts, plans
	rows := make([]widgets.KV, len(facts))
	for i, f := range facts {
		rows[i] = widgets.KV{Key: f.key, Value: f.value}
		if f.noted {
			rows[i] = widgets.KV{Key: f.key, Object: widgets.NewLabel(f.value, widgets.BodyMedium).Colored(theme.Warn)}
		}
	}
	widgets.SetChildren(c.root, widgets.CardWith(words.T("host.facts"), "", nil, widgets.NewKeyValues(rows...)), c.plansCard(plans))
}

func (c *factsCard) factsOf(h *fleet.Host) []fact {
	now := c.p.d.Now()
	text := plaintext.Field
	out := []fact{{key: words.T("host.fact.system"), value: system(text(h.OS), text(h.Arch))}}
	if h.Hostname != h.Name {
		out = append(out, fact{key: words.T("host.fact.hostname"), value: text(h.Hostname)})
	}
	out = append(out, fact{key: words.T("host.fact.agent"), value: text(h.AgentVersion)})
	if h.ResticVersion == "" {
		out = append(out, fact{words.T("host.fact.restic"), words.T("host.missing"), true})
	} else {
		out = append(out, fact{key: words.T("host.fact.restic"), value: text(h.ResticVersion)})
	}
	out = append(out, fact{key: words.T("host.fact.secrets"), value: words.SecretStore(h.SecretStore)})
	held := make([]string, len(h.Secrets))
	for i, id := range h.Secrets {
		held[i] = repositoryName(c.p.d.Fleet, id)
	}
	slices.Sort(held)
	passwords := words.T("host.none")
	if len(held) > 0 {
		passwords = strings.Join(held, ", ")
	}
	out = append(out, fact{words.T("host.fact.passwords"), passwords, len(held) == 0 && len(c.p.d.Fleet.PlansOf(h.ID)) > 0},
		fact{key: words.T("host.fact.restores"), value: text(h.RestoreRoot)})
	seen := words.T("host.now")
	if !h.Online {
		seen = words.Ago(h.LastSeenAt, now)
	}
	out = append(out, fact{key: words.T("host.fact.seen"), value: seen}, fact{key: words.T("host.fact.enrolled"), value: words.Day(h.EnrolledAt, now)})
	if skew := time.Duration(h.ClockSkewMS) * time.Millisecond; skew > skewNoted {
		out = append(out, fact{words.T("host.fact.clock"), words.T("host.ahead", "Span", words.Duration(skew)), true})
	} else if skew < -skewNoted {
		out = append(out, fact{words.T("host.fact.clock"), words.T("host.behind", "Span", words.Duration(-skew)), true})
	}
	return out
}

func (c *factsCard) plansOf() []planFact {
	var out []planFact
	for _, p := range c.p.d.Fleet.PlansOf(c.p.id) {
		paths := make([]string, len(p.Backup.Paths))
		for i, path := range p.Backup.Paths {
			paths[i] = plaintext.Field(path)
		}
		f := planFact{id: p.ID, name: plaintext.Field(p.Name), paths: strings.Join(paths, "  "), repository: repositoryName(c.p.d.Fleet, p.RepositoryID)}
		f.when, f.paused = c.whenOf(p)
		out = append(out, f)
	}
	return out
}

// whenOf says when the host runs a plan by itself, and when next.
func (c *factsCard) whenOf(p *fleet.Plan) (text string, paused bool) {
	now, runs := c.p.d.Now(), c.p.vm.Next
	text = plaintext.Field(words.Schedule(runs.When(p)))
	if p.Schedule != nil && p.Schedule.Paused {
		return words.T("hosts.two", "A", text, "B", words.T("schedule.paused")), true
	}
	if h := c.p.d.Fleet.Host(c.p.id); h == nil || h.RevokedAt != nil {
		return text, false
	}
	if next := runs.NextOn(p, c.p.id, now); !next.IsZero() {
		text = words.T("schedule.next", "When", text, "Time", words.Moment(next, now))
	}
	return text, false
}

func (c *factsCard) plansCard(plans []planFact) fyne.CanvasObject {
	if len(plans) == 0 {
		text := widgets.NewParagraph(words.T("host.no_plan_text"), widgets.Cell)
		button := widgets.NewButton(widgets.Secondary, icons.Plan, words.T("host.to_plans"), func() { c.p.d.Navigate(nav.Route{Page: nav.Plans}) })
		return widgets.CardWith(words.T("page.plans"), "", nil, widgets.VFlex(12, text, widgets.HFlex(0, button, widgets.Spacer())))
	}
	var rows []fyne.CanvasObject
	for _, p := range plans {
		names := widgets.VFlex(2, widgets.HFlex(8, widgets.NewLabel(p.name, widgets.BodyMedium), widgets.NewIcon(icons.ArrowRight, theme.Text3, 12), widgets.Grow(widgets.NewLabel(p.repository, widgets.Body2), 1)),
			widgets.NewLabel(p.paths, widgets.MonoSmall), planWhenLabel(p))
		rows = append(rows, widgets.NewPressable(widgets.Pad(names, 6, 8, 6, 8), theme.RadiusControl, func() { c.p.d.Navigate(nav.Route{Page: nav.Plans, ID: string(p.id)}) }))
	}
	head := widgets.Pad(widgets.CardHead(words.T("page.plans"), "", nil), 0, 8, 0, 8)
	return widgets.FlatCard(widgets.Pad(widgets.VFlex(4, head, widgets.VFlex(0, rows...)), 14, 8, 10, 8))
}

func planWhenLabel(p planFact) fyne.CanvasObject {
	text := widgets.NewParagraph(p.when, widgets.Caption)
	if p.paused {
		text.Colored(theme.Warn)
	}
	return text
}
