# Writes a C file with the viewer's files in it, as struct bb_static_file (query/static_files.h).
#
#   cmake -DFOLDER=... -DFILES="a;b/c" -DOUTPUT=... -P embed_files.cmake
#
# FILES are relative to FOLDER. A file's ETag is the start of its SHA-256, so that it changes
# exactly when the content does.

list(SORT FILES COMPARE STRING)
set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
  file(READ "${FOLDER}/${file}" hex HEX)
  file(SHA256 "${FOLDER}/${file}" hash)
  file(SIZE "${FOLDER}/${file}" size)
  string(SUBSTRING "${hash}" 0 32 hash)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  # The zero at the end keeps the array of an empty file from being empty.
  string(APPEND arrays "static const uint8_t file_${index}[] = { /* ${file} */\n${hex}0};\n")
  string(APPEND rows "    {\"${file}\", file_${index}, ${size}, \"\\\"${hash}\\\"\"},\n")
  math(EXPR index "${index} + 1")
endforeach()

# A row behind the last one, for the same reason.
set(text "/* Made by query/embed_files.cmake. */
#include \"query/static_files.h\"

#include <stddef.h>

${arrays}
const struct bb_static_file bb_static_files[] = {
${rows}    {NULL, NULL, 0, NULL},
};
const uint32_t bb_static_file_count = ${index};
")
file(WRITE "${OUTPUT}" "${text}")
