using System.Collections.Frozen;

namespace Mesh.DataPlane.Formatting;

/// <summary>The commands that Envoy has and that must not work here, or never could, each with the reason: a format that names one is not loaded.</summary>
internal static class RefusedCommands
{
    private const string NotAskable = "the framework does not tell it of its TLS";
    private const string Framed = "the framework reads and writes headers, and does not tell what they take on the wire";
    private const string Closed = "the framework does not tell how a connection was closed";
    private const string Pooled = "the framework does not tell which of its connections carried a request";

    public static FrozenDictionary<string, string> Reasons { get; } = new Dictionary<string, string>
    {
        ["ENVIRONMENT"] = "a control plane may not read the environment of this process",
        ["FILE_CONTENT"] = "a control plane may not read the files of this process",
        ["SECRET"] = "secrets do not belong into texts",

        ["TLS_JA3_FINGERPRINT"] = "no fingerprint is taken of handshakes",
        ["TLS_JA4_FINGERPRINT"] = "no fingerprint is taken of handshakes",
        ["DOWNSTREAM_TLS_SESSION_ID"] = NotAskable,
        ["DOWNSTREAM_TLS_GROUP"] = NotAskable,
        ["UPSTREAM_TLS_SESSION_ID"] = NotAskable,
        ["UPSTREAM_TLS_GROUP"] = NotAskable,

        ["DOWNSTREAM_HEADER_BYTES_RECEIVED"] = Framed + "; %REQUEST_HEADERS_BYTES% tells what they are",
        ["DOWNSTREAM_HEADER_BYTES_SENT"] = Framed + "; %RESPONSE_HEADERS_BYTES% tells what they are",
        ["UPSTREAM_HEADER_BYTES_RECEIVED"] = Framed + "; %RESPONSE_HEADERS_BYTES% tells what they are",
        ["UPSTREAM_HEADER_BYTES_SENT"] = Framed + "; %REQUEST_HEADERS_BYTES% tells what they are",
        ["UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED"] = Framed + "; %RESPONSE_HEADERS_BYTES% tells what they are",
        ["UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT"] = Framed + "; %REQUEST_HEADERS_BYTES% tells what they are",

        ["DOWNSTREAM_DETECTED_CLOSE_TYPE"] = Closed,
        ["DOWNSTREAM_LOCAL_CLOSE_REASON"] = Closed,
        ["UPSTREAM_DETECTED_CLOSE_TYPE"] = Closed,
        ["UPSTREAM_LOCAL_CLOSE_REASON"] = Closed,
        ["UPSTREAM_CONNECTION_IDS_ATTEMPTED"] = Pooled,
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
