// Package theme is the console's look: one fyne.Theme with semantic colours, the sizes, the fonts and coloured icons.
//
// Widgets and pages name a colour by its role (Surface, Text2, ErrorSoft) and never by its value; Color gives the value for the
// theme and variant of the moment, so whoever keeps a colour must ask again when it is refreshed. The names of Fyne's own widgets
// are mapped onto the roles, so entries, menus and scroll bars look like ours.
//
// The package has no goroutines. Color, Icon and a Theme's methods may be called from any goroutine.
package theme
