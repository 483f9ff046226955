using System.Security.Authentication;
using System.Security.Cryptography;

namespace Mesh.DataPlane.Tls;

/// <summary>What Envoy, by the numbers of BoringSSL, would say of the ways in which TLS fails.</summary>
internal static class TlsErrors
{
    private const uint Library = 0x1000_0000;
    private const int FirstAlert = 1000; // OpenSSL and BoringSSL alike: 1000 and the alert's number of RFC 8446, section 6.

    private static readonly Dictionary<int, string> Alerts = new()
    {
        [10] = "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        [20] = "SSLV3_ALERT_BAD_RECORD_MAC",
        [40] = "SSLV3_ALERT_HANDSHAKE_FAILURE",
        [42] = "SSLV3_ALERT_BAD_CERTIFICATE",
        [43] = "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        [44] = "SSLV3_ALERT_CERTIFICATE_REVOKED",
        [45] = "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        [46] = "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        [47] = "SSLV3_ALERT_ILLEGAL_PARAMETER",
        [48] = "TLSV1_ALERT_UNKNOWN_CA",
        [49] = "TLSV1_ALERT_ACCESS_DENIED",
        [50] = "TLSV1_ALERT_DECODE_ERROR",
        [51] = "TLSV1_ALERT_DECRYPT_ERROR",
        [70] = "TLSV1_ALERT_PROTOCOL_VERSION",
        [71] = "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        [80] = "TLSV1_ALERT_INTERNAL_ERROR",
        [86] = "TLSV1_ALERT_INAPPROPRIATE_FALLBACK",
        [112] = "TLSV1_ALERT_UNRECOGNIZED_NAME",
        [116] = "TLSV1_ALERT_CERTIFICATE_REQUIRED",
        [120] = "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
    };

    /// <summary>The peer's certificate is not accepted.</summary>
    public static string Unverified(string why) => Reason(125, "CERTIFICATE_VERIFY_FAILED:verify cert failed: " + why);

    /// <summary>The peer's certificate is that of somebody else.</summary>
    public static string WrongName { get; } = Unverified("verify SAN list");

    /// <summary>The peer's key is for something else.</summary>
    public static string WrongKeyUsage { get; } = Reason(186, "KEY_USAGE_BIT_INCORRECT");

    /// <summary>The peer answers with something that is not TLS.</summary>
    public static string NotTls { get; } = Reason(247, "WRONG_VERSION_NUMBER");

    /// <summary>The peer has ended the connection in the middle of the handshake.</summary>
    public static string Closed { get; } = "connection closed during the handshake";

    /// <summary>What a handshake needs has not come.</summary>
    public static string NotReady { get; } = "Secret is not supplied by SDS";

    /// <summary>Both ends must prove who they are, and this one is nobody.</summary>
    public static string NoIdentity { get; } = "Secret is not supplied by SDS: the workload has no identity";

    /// <summary>What the handshake was made with is not in force any more.</summary>
    public static string Superseded { get; } = "secrets have changed during the handshake";

    public static TlsFailureException Of(Exception exception)
        => exception as TlsFailureException ?? new TlsFailureException(ReasonOf(exception), exception.InnerException?.Message ?? exception.Message, exception);

    /// <summary>The alert by which the peer has ended a connection, be it after the handshake: TLS 1.3 refuses a client's certificate only then.</summary>
    public static string? AlertIn(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            // OpenSSL's error is in the HResult: its library above, its reason in the lower bits.
            if (e is CryptographicException && (e.HResult & 0x7F_FFFF) is var reason && reason is >= FirstAlert and < FirstAlert + 256)
            {
                return Reason(reason, Alerts.GetValueOrDefault(reason - FirstAlert) ?? $"ALERT_{reason - FirstAlert}");
            }
        }

        return null;
    }

    private static string ReasonOf(Exception exception)
    {
        if (AlertIn(exception) is { } alert)
        {
            return alert;
        }

        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is CryptographicException { HResult: var code } && (code & 0x7F_FFFF) is var reason && reason > 0)
            {
                // 267 and 258 are OpenSSL's numbers for what BoringSSL calls 247 and 240.
                return reason switch
                {
                    267 => NotTls,
                    258 => Reason(240, "UNSUPPORTED_PROTOCOL"),
                    _ => Reason(reason, e.Message.Split(':')[^1]),
                };
            }
        }

        return exception is AuthenticationException ? NotTls : Closed;
    }

    private static string Reason(int number, string text) => $"{Library + number}:SSL routines:OPENSSL_internal:{text}";
}
