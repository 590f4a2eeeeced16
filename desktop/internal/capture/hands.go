package capture

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// wheel turns the wheel upwards over a place. What scrolls knows how far only once it was painted.
func (st *stage) wheel(at fyne.Position, by float32) {
	st.window.Canvas().Capture()
	test.Scroll(st.window.Canvas(), at, 0, by)
}

// write types into what has the keyboard.
func (st *stage) write(text string) {
	for _, r := range text {
		if f := st.window.Canvas().Focused(); f != nil {
			f.TypedRune(r)
		}
	}
}
