# A shop.
include config.mk
-include $(DEPS)

CC := gcc
CFLAGS += -O2
LIMIT ?= 10
export PATH_TO = /usr
SOURCES = $(wildcard *.c)

define recipe
	echo $(1)
endef

ifeq ($(LIMIT),10)
extra: all
endif

.PHONY: all clean

all: cart.o $(SOURCES)
	$(CC) $(CFLAGS) -o $@ $^

%.o: %.c
	$(CC) -c $<

clean test:
	rm -f *.o
	$(call recipe,done)

