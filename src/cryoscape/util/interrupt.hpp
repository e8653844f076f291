#pragma once

namespace cryoscape {

/// Installs handlers for SIGINT and SIGTERM that only record the signal; a second one ends the process at
/// once.
void install_interrupt_handlers();

/// The signal received so far, 0 for none. Long work polls it at its safe points.
int pending_interrupt();

/// Throws Interrupted if a signal came.
void throw_if_interrupted();

}  // namespace cryoscape
