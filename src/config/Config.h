// SPDX-License-Identifier: Apache-2.0
//
// Config: the configuration as types, every value checked. The defaults of DtlsServer's part stand
// in dtls/ServerOptions.h, those of the log in log/LogOptions.h, the others here.
#pragma once

#include "config/Machine.h"
#include "core/SocketAddress.h"
#include "dtls/ServerOptions.h"
#include "log/LogOptions.h"

#include <QByteArray>
#include <QHostAddress>
#include <QList>
#include <QString>
#include <QStringList>

#include <chrono>
#include <cstdint>

namespace dtlsd {

/// `[server]`, what concerns sockets and threads.
struct ListenOptions
{
    QList<SocketAddress> listen{{QHostAddress(QHostAddress::AnyIPv4), 22334},
                                {QHostAddress(QHostAddress::AnyIPv6), 22334}};
    std::int64_t workers = 0;                           ///< 0 = one per core
    std::int64_t receiveBuffer = std::int64_t{4} << 20; ///< bytes, SO_RCVBUF
};

/// `[tls] backend`: what is under QDtls.
enum class BackendChoice {
    Auto,  ///< ours where this build has it and it works, else Qt's
    Dtlsd, ///< ours
    Qt     ///< Qt's own
};

/// `[server] cookie_secret`
struct CookieOptions
{
    static constexpr qsizetype minimumSize = 32; ///< bytes, as CookieSecrets wants them

    QString file; ///< as it was opened; empty = none, and a secret of each process's own
    PskKey secret;

    friend bool operator==(const CookieOptions &, const CookieOptions &) = default;
};

/// `[control]`
struct ControlOptions
{
    QString socket = defaultSocket(); ///< empty = off
    QString metricsFile;              ///< empty = off

    /// `control.sock` in the folder that the service manager made for this process
    /// ($RUNTIME_DIRECTORY, systemd.exec(5)), else in /run/dtlsd.
    static QString defaultSocket();
};

/// Where dtlsd looks when no file is named.
inline constexpr QLatin1StringView defaultConfigFile("/etc/dtlsd/dtlsd.ini");
inline constexpr QLatin1StringView defaultKeyFile("/etc/dtlsd/psk.txt");

/// `[psk]`, `[tls] min_key_bytes`, and what the identities were made of. The keys themselves are in
/// ServerSettings::identities.
struct KeyOptions
{
    QString file = defaultKeyFile; ///< as it was opened; empty = none
    std::int64_t minimumSize = 16; ///< bytes (RFC 9257 §6: 128 bits)
    /// The identities that have a section, in its order, without the wildcard; all others are from
    /// the file.
    QList<QByteArray> sections;
};

struct Config
{
    QString file; ///< where it was read from; empty = the embedded defaults
    ListenOptions server;
    CookieOptions cookies;
    std::chrono::milliseconds watchInterval{0}; ///< `[server] watch_interval`; 0 = off
    BackendChoice tlsBackend = BackendChoice::Auto;
    ServerSettings settings;
    LogOptions log;
    ControlOptions control;
    KeyOptions keys;
};

/// One thing to tell the operator about a configuration.
struct ConfigMessage
{
    QString file;
    int line = 0; ///< from 1; 0 = the file as a whole
    QString text; ///< `[section] key: what is wrong; what is accepted`

    /// `FILE:LINE: text`, as editors and compilers write it.
    [[nodiscard]] QString toString() const;
};

struct ConfigResult
{
    Config config; ///< to be used only without errors
    QList<ConfigMessage> errors;
    QList<ConfigMessage> warnings; ///< accepted, but worth a second look
    QStringList files;             ///< that it is made of, whether they could be read or not
    /// What it asks of the machine and the machine does not have, at present: no error of the
    /// configuration, but it cannot be served. Of no consequence where systemd passes the sockets.
    QList<ConfigMessage> missing;
};

/// Reads @p file and the key files it names, and reports every error there is in one run. Relative
/// paths of key files are sought in $CREDENTIALS_DIRECTORY (@p credentials) when set, else beside
/// @p file. Changes nothing but its result.
ConfigResult loadConfig(const QString &file, const QString &credentials = {},
                        const Machine &machine = Machine::current());

/// loadConfig() with $CREDENTIALS_DIRECTORY. An empty @p file is defaultConfigFile, or the embedded
/// defaults if that is not there.
ConfigResult loadConfigOrDefault(const QString &file);

/// The embedded defaults with the default key file: what runs when there is no file at all.
ConfigResult loadDefaultConfig(const QString &credentials = {},
                               const Machine &machine = Machine::current());

/// The effective configuration as an INI file that loadConfig() reads back, once the keys of its
/// identity sections, which are fingerprints in comments, are there again. Identities of the key
/// file are comments too, at most 1000 of them.
QByteArray showConfig(const Config &config);

} // namespace dtlsd
