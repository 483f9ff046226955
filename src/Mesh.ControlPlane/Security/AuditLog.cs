using System.Net;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Security;

/// <summary>Who did what, when, and from where: the log category <c>Mesh.ControlPlane.Audit</c>. No entry holds a token or a key.</summary>
internal sealed partial class AuditLog(ILoggerFactory loggers, TimeProvider time)
{
    public const string Category = "Mesh.ControlPlane.Audit";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    public void CertificateIssued(string who, EndPoint? from, string identity, string serial, DateTimeOffset until)
        => Log.CertificateIssued(_logger, time.GetUtcNow(), identity, who, PlaceOf(from), serial, until);

    public void CertificateRefused(string? who, EndPoint? from, string reason) => Log.CertificateRefused(_logger, time.GetUtcNow(), who ?? "nobody known", PlaceOf(from), reason);

    public void StreamRefused(string nodeId, string? who, EndPoint? from, string reason)
        => Log.StreamRefused(_logger, time.GetUtcNow(), Printable(nodeId), who ?? "nobody known", PlaceOf(from), reason);

    public void RegistrationRefused(string nodeId, string? who, EndPoint? from, string account, string reason)
        => Log.RegistrationRefused(_logger, time.GetUtcNow(), Printable(nodeId), Printable(account), who ?? "nobody known", PlaceOf(from), reason);

    public void Registered(string nodeId, string? who, EndPoint? from, string account)
        => Log.Registered(_logger, time.GetUtcNow(), Printable(nodeId), Printable(account), who ?? "nobody known", PlaceOf(from));

    public void ConfigChanged(string what, string resource, string source) => Log.ConfigChanged(_logger, time.GetUtcNow(), what, resource, source);

    public void Done(string what, string who, EndPoint? from) => Log.Done(_logger, time.GetUtcNow(), what, who, PlaceOf(from));

    public void Refused(string what, string? who, EndPoint? from, string reason) => Log.Refused(_logger, time.GetUtcNow(), what, who ?? "nobody known", PlaceOf(from), reason);

    private static string PlaceOf(EndPoint? from) => from?.ToString() ?? "this machine";

    /// <summary>What strangers say of themselves writes no lines of its own.</summary>
    private static string Printable(string text)
    {
        const int MaxLength = 256;
        var cut = text.Length > MaxLength ? text[..MaxLength] + "…" : text;
        return cut.Any(char.IsControl) ? string.Concat(cut.Select(c => char.IsControl(c) ? '?' : c)) : cut;
    }

    private static partial class Log
    {
        [LoggerMessage(3501, LogLevel.Information, "{At:o} certificate issued: {Identity} to {Who} from {From}, serial {Serial}, until {Until:u}")]
        public static partial void CertificateIssued(ILogger logger, DateTimeOffset at, string identity, string who, string from, string serial, DateTimeOffset until);

        [LoggerMessage(3502, LogLevel.Warning, "{At:o} certificate refused: to {Who} from {From}: {Reason}")]
        public static partial void CertificateRefused(ILogger logger, DateTimeOffset at, string who, string from, string reason);

        [LoggerMessage(3503, LogLevel.Warning, "{At:o} stream refused: node {NodeId}, {Who} from {From}: {Reason}")]
        public static partial void StreamRefused(ILogger logger, DateTimeOffset at, string nodeId, string who, string from, string reason);

        [LoggerMessage(3504, LogLevel.Warning, "{At:o} registration refused: node {NodeId} as {Account}, {Who} from {From}: {Reason}")]
        public static partial void RegistrationRefused(ILogger logger, DateTimeOffset at, string nodeId, string account, string who, string from, string reason);

        [LoggerMessage(3505, LogLevel.Information, "{At:o} registered: node {NodeId} as {Account}, {Who} from {From}")]
        public static partial void Registered(ILogger logger, DateTimeOffset at, string nodeId, string account, string who, string from);

        [LoggerMessage(3506, LogLevel.Information, "{At:o} configuration {What}: {Resource} by {Source}")]
        public static partial void ConfigChanged(ILogger logger, DateTimeOffset at, string what, string resource, string source);

        [LoggerMessage(3507, LogLevel.Information, "{At:o} {What} by {Who} from {From}")]
        public static partial void Done(ILogger logger, DateTimeOffset at, string what, string who, string from);

        [LoggerMessage(3508, LogLevel.Warning, "{At:o} refused: {What} by {Who} from {From}: {Reason}")]
        public static partial void Refused(ILogger logger, DateTimeOffset at, string what, string who, string from, string reason);
    }
}
