#pragma once
#include <spdlog/spdlog.h>

#include <filesystem>

/// Logging: spdlog::info / warn / debug go to standard error (results go to standard output), plain text
/// without decoration.
namespace cryoscape::log {

enum class Level { quiet, normal, verbose };

/// Sets up the process's logger. Call once, first thing in main.
void initialise(Level level);

/// Also appends everything logged from now on to `file` (a run's log.txt). Throws Error if it cannot be
/// opened.
void copy_to_file(const std::filesystem::path& file);

}  // namespace cryoscape::log
