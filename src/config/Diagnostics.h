// SPDX-License-Identifier: Apache-2.0
//
// Diagnostics: collects what there is to say about one INI file and gives it its form,
// `[section] key: what is wrong; what is accepted`.
#pragma once

#include "config/Config.h"

#include <QList>
#include <QString>
#include <QStringList>
#include <QStringView>

namespace dtlsd {

/// Where in the INI file something stands; all of it optional.
struct IniPlace
{
    int line = 0;
    QString section;
    QString key;
};

class Diagnostics
{
public:
    /// So many per file say enough; the rest is counted.
    static constexpr qsizetype maximumPerFile = 100;

    explicit Diagnostics(QString file)
        : m_file(std::move(file))
    {
    }

    void error(const IniPlace &place, const QString &text);
    void warning(const IniPlace &place, const QString &text);
    /// An error: the key of @p place is none of @p names. One that may be a secret in the wrong
    /// place (@p maybeSecret) is shown only when it resembles one of them.
    void unknownKey(const IniPlace &place, const QStringList &names, bool maybeSecret);
    /// Of the machine.
    void missing(const IniPlace &place, const QString &text);
    /// About another file, in the form it has.
    void add(const QList<ConfigMessage> &errors, const QList<ConfigMessage> &warnings)
    {
        m_otherErrors += errors;
        m_otherWarnings += warnings;
    }

    /// In the order of the lines, this file first.
    [[nodiscard]] QList<ConfigMessage> errors() const;
    [[nodiscard]] QList<ConfigMessage> warnings() const;
    [[nodiscard]] const QList<ConfigMessage> &missing() const { return m_missing; }

private:
    [[nodiscard]] ConfigMessage message(const IniPlace &place, const QString &text) const;

    QString m_file;
    QList<ConfigMessage> m_errors;
    QList<ConfigMessage> m_otherErrors;
    QList<ConfigMessage> m_warnings;
    QList<ConfigMessage> m_otherWarnings;
    QList<ConfigMessage> m_missing;
};

/// `"text"` as a message can show it: escaped and bounded.
QString shown(QStringView text);

/// ` (did you mean x?)` with what is near in @p names, in the form @p shape; empty = nothing is.
QString suggestion(QStringView name, const QStringList &names,
                   const QString &shape = QStringLiteral("%1"));

/// `a, b and c are accepted`
QString acceptedNames(const QStringList &names);

/// `a, b and c`, as in `a, b and c are accepted`.
QString enumeration(QStringList names, const QString &conjunction = QStringLiteral("and"));

} // namespace dtlsd
