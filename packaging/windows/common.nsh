; What the installers have in common. The defines VERSION, FOUR (a version of four numbers), BIN (the folder of the programs), TITLE,
; KEY (of the entry in "Installed apps") and OUTFILE come before it.
Target amd64-unicode
SetCompressor /SOLID lzma
SetDateSave off
RequestExecutionLevel admin
ManifestDPIAware true
ManifestSupportedOS Win10
!include MUI2.nsh
!include x64.nsh
!include FileFunc.nsh
!include LogicLib.nsh

Name "${TITLE}"
OutFile "${OUTFILE}"
InstallDir "$PROGRAMFILES64\Backstay"
BrandingText "${TITLE} ${VERSION}"
VIProductVersion "${FOUR}"
VIAddVersionKey "ProductName" "${TITLE}"
VIAddVersionKey "CompanyName" "Backstay"
VIAddVersionKey "FileDescription" "${TITLE} setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "The Backstay authors, Apache-2.0"
!define MUI_ICON "${BIN}\backstay.ico"
!define MUI_UNICON "${BIN}\backstay.ico"
!define MUI_ABORTWARNING
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${KEY}"

; Replace puts a program in the place of one that may be running: a running one can be renamed, not overwritten. What was renamed goes
; with the next installer that finds it free, or with the next start of Windows.
!macro Replace PROGRAM
	Delete "$INSTDIR\${PROGRAM}.former-*"
	${If} ${FileExists} "$INSTDIR\${PROGRAM}"
		ClearErrors
		Delete "$INSTDIR\${PROGRAM}"
		${If} ${Errors}
			System::Call "kernel32::GetTickCount()i.r9"
			Rename "$INSTDIR\${PROGRAM}" "$INSTDIR\${PROGRAM}.former-$9"
			Delete /REBOOTOK "$INSTDIR\${PROGRAM}.former-$9"
		${EndIf}
	${EndIf}
	ClearErrors
	File "${BIN}\${PROGRAM}"
	${If} ${Errors}
		!insertmacro Fail "${PROGRAM} could not be written to $INSTDIR. Close what uses it and start the setup again."
	${EndIf}
!macroend

; Fail says why, where somebody can read it, and ends with the exit code 1.
!macro Fail TEXT
	DetailPrint "${TEXT}"
	MessageBox MB_ICONSTOP|MB_OK "${TEXT}" /SD IDOK
	SetErrorLevel 1
	Quit
!macroend

!macro Register UNINSTALLER
	WriteUninstaller "$INSTDIR\${UNINSTALLER}"
	WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayName" "${TITLE}"
	WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
	WriteRegStr HKLM "${UNINSTALL_KEY}" "Publisher" "Backstay"
	WriteRegStr HKLM "${UNINSTALL_KEY}" "URLInfoAbout" "https://github.com/backstay/backstay"
	WriteRegStr HKLM "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
	WriteRegStr HKLM "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\${UNINSTALLER}"'
	WriteRegStr HKLM "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\${UNINSTALLER}" /S'
	WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoModify" 1
	WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoRepair" 1
	${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
	WriteRegDWORD HKLM "${UNINSTALL_KEY}" "EstimatedSize" $0
!macroend

!macro RequireX64
	${IfNot} ${RunningX64}
		!insertmacro Fail "${TITLE} needs a 64-bit Windows."
	${EndIf}
	SetRegView 64
!macroend
