package capture

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/hands"
	"github.com/backstay/backstay/desktop/internal/words"
)

// wheel turns the wheel upwards over a place. What scrolls knows how far only once it was painted.
func (st *stage) wheel(at fyne.Position, by float32) {
	st.window.Canvas().Capture()
	test.Scroll(st.window.Canvas(), at, 0, by)
}

// write types into what has the keyboard.
func (st *stage) write(text string) { hands.Write(st.window.Canvas(), text) }

// press presses keys: what has the keyboard gets them.
func (st *stage) press(keys ...fyne.KeyName) { hands.Press(st.window.Canvas(), keys...) }

// tap clicks on a place.
func (st *stage) tap(at fyne.Position) {
	test.TapCanvas(st.window.Canvas(), at)
	st.settle()
}

// tapText clicks on the last thing that says the text of a key.
func (st *stage) tapText(key string) {
	if t := hands.Find(st.window.Canvas(), words.T(key)); t != nil {
		hands.Tap(st.window.Canvas(), t)
		st.settle()
	}
}
