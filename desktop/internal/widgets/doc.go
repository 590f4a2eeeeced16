// Package widgets holds the parts that the console's pages are built of: text, buttons, cards, tables, entries, charts, dialogs
// and the layouts between them, in the look of package theme.
//
// Everything here lives on the UI goroutine: there are no locks and no goroutines, and nothing moves by itself. Texts come in
// finished, already in the person's language. A setter does nothing when the value is what it was. A Refresh reads the colours
// again, so a change of theme needs no more than Fyne's own.
//
// Sizes: MinSize is what a part cannot do without, and is small for text, which ends in an ellipsis; NaturalSize, where a part has
// one, is what it would like. The layouts of this package (HFlex, VFlex, Pad, Card …) give the natural size where there is room,
// shrink towards the minimum where there is none, and lay out again when a part inside wants another size.
package widgets
