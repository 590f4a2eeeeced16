package pages

import (
	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
)

// jobLog is the card of a job's log.
type jobLog struct {
	p    *job
	root fyne.CanvasObject
}

func newJobLog(p *job) *jobLog {
	return &jobLog{p: p, root: widgets.CardWith(words.T("job.log"), "", nil, widgets.Space(10))}
}

func (l *jobLog) take(model.JobBatch) {}
func (l *jobLog) show()               {}
func (l *jobLog) key(Key) bool        { return false }
func (l *jobLog) close()              {}
