; The installer of the console and the command line, for all who use the computer. /S asks nothing; /D=FOLDER chooses another folder.
!define TITLE "Backstay"
!define KEY "Backstay"
!include common.nsh

!define APP_PATHS "Software\Microsoft\Windows\CurrentVersion\App Paths"
!define MUI_FINISHPAGE_RUN "$INSTDIR\backstay-desktop.exe"

!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "${BIN}\LICENSE.txt"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"

Function .onInit
	!insertmacro RequireX64
FunctionEnd

Section
	SetShellVarContext all
	SetOutPath "$INSTDIR"
	!insertmacro Replace "backstay-desktop.exe"
	!insertmacro Replace "backstay.exe"
	File "${BIN}\LICENSE.txt"
	File "/oname=third-party-licenses.txt" "${BIN}\third-party-licenses.txt"
	CreateShortCut "$SMPROGRAMS\Backstay.lnk" "$INSTDIR\backstay-desktop.exe"
	WriteRegStr HKLM "${APP_PATHS}\backstay-desktop.exe" "" "$INSTDIR\backstay-desktop.exe"
	WriteRegStr HKLM "${APP_PATHS}\backstay.exe" "" "$INSTDIR\backstay.exe"
	!insertmacro Register "uninstall.exe"
SectionEnd

Function un.onInit
	SetRegView 64
FunctionEnd

Section "Uninstall"
	SetShellVarContext all
	ClearErrors
	Delete "$INSTDIR\backstay-desktop.exe"
	${If} ${Errors}
		!insertmacro Fail "Backstay runs. Close it and start the uninstaller again."
	${EndIf}
	Delete "$INSTDIR\backstay.exe"
	Delete /REBOOTOK "$INSTDIR\*.former-*"
	Delete "$INSTDIR\third-party-licenses.txt"
	Delete "$INSTDIR\uninstall.exe"
	Delete "$SMPROGRAMS\Backstay.lnk"
	${IfNot} ${FileExists} "$INSTDIR\backstay-agent.exe"
		Delete "$INSTDIR\LICENSE.txt"
	${EndIf}
	RMDir "$INSTDIR"
	DeleteRegKey HKLM "${APP_PATHS}\backstay-desktop.exe"
	DeleteRegKey HKLM "${APP_PATHS}\backstay.exe"
	DeleteRegKey HKLM "${UNINSTALL_KEY}"
SectionEnd
