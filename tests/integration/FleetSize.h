// SPDX-License-Identifier: Apache-2.0
//
// How many devices a test takes to have many: fewer where a sanitizer slows all of them down.
#pragma once

namespace dtlsd::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int fleetSize = 200;
#else
inline constexpr int fleetSize = 2000;
#endif
inline constexpr int handshakesAtOnce = 100;

} // namespace dtlsd::test
