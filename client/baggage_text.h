/*
 * baggage_text.h - reads a W3C baggage header into a bobbin_baggage.
 */
#ifndef BBC_BAGGAGE_TEXT_H
#define BBC_BAGGAGE_TEXT_H

#include "client/include/bobbin/context.h"

/*
 * Adds the members of one header: list-member *( "," list-member ), a member being
 * name "=" value *( ";" property ), with blanks allowed around each part. Malformed members are
 * left
 * out, and so is what is over the limits; of one name the last counts.
 */
void bbc_baggage_read(struct bobbin_baggage *baggage, const char *text, size_t size);

#endif /* BBC_BAGGAGE_TEXT_H */
