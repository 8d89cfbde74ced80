# Which build this is, found out at build time, in two steps (cmake -DSTEP=... -P version.cmake):
#
#   commit  runs at every build; writes OUT (the checkout's commit) only when it has changed
#   header  runs when the commit or one of our libraries has changed, so at times when the program
#           has to be linked anyway; writes OUT (generated/version_info.h)
#
# SOURCE_DATE_EPOCH, when set, is taken for the time, so that builds can be reproduced.

if(STEP STREQUAL "commit")
  set(commit "unknown")
  execute_process(COMMAND git -C "${SOURCE_DIR}" rev-parse HEAD
    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit "${head}")
    execute_process(COMMAND git -C "${SOURCE_DIR}" status --porcelain --untracked-files=no
      OUTPUT_VARIABLE changes ERROR_QUIET)
    if(NOT changes STREQUAL "")
      string(APPEND commit "-dirty")
    endif()
  endif()
  set(before "")
  if(EXISTS "${OUT}")
    file(READ "${OUT}" before)
  endif()
  if(NOT before STREQUAL commit)
    file(WRITE "${OUT}" "${commit}")
  endif()
elseif(STEP STREQUAL "header")
  file(READ "${COMMIT_FILE}" commit)
  string(TIMESTAMP now "%Y-%m-%dT%H:%M:%SZ" UTC)
  file(WRITE "${OUT}"
    "/* Made by cmake/version.cmake. */\n"
    "#define BB_BUILD_VERSION \"${VERSION}\"\n"
    "#define BB_BUILD_GIT_COMMIT \"${commit}\"\n"
    "#define BB_BUILD_TIME \"${now}\"\n")
else()
  message(FATAL_ERROR "STEP is '${STEP}'; it can be commit or header")
endif()
