dnl TIDINGS_CFLAG(VARIABLE, FLAG): adds FLAG to VARIABLE when the compiler takes it.
dnl -Werror makes clang refuse flags that it does not know.
AC_DEFUN([TIDINGS_CFLAG], [
  AC_MSG_CHECKING([whether $CC takes $2])
  tidings_saved="$CFLAGS"
  CFLAGS="$CFLAGS -Werror $2"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); AS_VAR_APPEND([$1], [" $2"])], [AC_MSG_RESULT([no])])
  CFLAGS="$tidings_saved"
])

dnl TIDINGS_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([TIDINGS_LDFLAG], [
  AC_MSG_CHECKING([whether the linker takes $2])
  tidings_saved_ldflags="$LDFLAGS"
  tidings_saved="$CFLAGS"
  CFLAGS="$CFLAGS -fPIE"
  LDFLAGS="$LDFLAGS -Werror $2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); AS_VAR_APPEND([$1], [" $2"])], [AC_MSG_RESULT([no])])
  LDFLAGS="$tidings_saved_ldflags"
  CFLAGS="$tidings_saved"
])
