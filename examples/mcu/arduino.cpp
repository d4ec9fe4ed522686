/* main.c in Arduino's frame: text goes to the serial port. */
#include <Arduino.h>

#if defined(ESP32)
SET_LOOP_TASK_STACK_SIZE(24 * 1024); /* an interpreter without tail calls takes stack for each operation in a row */
#endif

extern "C" {
int infer(void);
void put(const char *text) { Serial.print(text); }
}

void setup() {
  Serial.begin(115200);
  infer();
}

void loop() {}
