using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Xds.Jwt;

/// <summary>
/// A signed token in its compact form (RFC 7515, 7519), read but not verified. Claims have the types that Envoy insists on, so that what is verified
/// cannot be misread later.
/// </summary>
internal sealed class CompactJwt
{
    /// <summary>Longer ones are not looked at.</summary>
    public const int MaxLength = 16 * 1024;

    private static readonly string[] IntegerClaims = ["iat", "nbf", "exp"];
    private static readonly string[] StringClaims = ["iss", "sub", "jti"];

    private CompactJwt(string text, int signature)
    {
        SignedText = text[..signature];
        EncodedPayload = text[(text.IndexOf('.') + 1)..signature];
    }

    public JsonElement Header { get; private set; }

    public JsonElement Payload { get; private set; }

    /// <summary>The payload as it came, which some providers hand on.</summary>
    public string EncodedPayload { get; }

    /// <summary>What whoever keeps it has made of it for those who ask for its claims.</summary>
    public JsonObject? Metadata { get; set; }

    public string Algorithm { get; private set; } = "";

    /// <summary>Empty when the header has none.</summary>
    public string KeyId { get; private set; } = "";

    public string Issuer { get; private set; } = "";

    public string Subject { get; private set; } = "";

    public IReadOnlyList<string> Audiences { get; private set; } = [];

    public ulong? IssuedAt { get; private set; }

    public ulong? NotBefore { get; private set; }

    public ulong? Expires { get; private set; }

    public byte[] Signature { get; private set; } = [];

    /// <summary>Header and payload as they were signed.</summary>
    private string SignedText { get; }

    public byte[] SignedBytes() => Encoding.ASCII.GetBytes(SignedText);

    /// <summary>Reads a token; nothing of it may be believed before its signature has been verified.</summary>
    public static JwtStatus Parse(string text, out CompactJwt? token)
    {
        token = null;
        var first = text.IndexOf('.');
        var last = text.LastIndexOf('.');
        if (text.Length > MaxLength || first <= 0 || last - first < 2 || last == text.Length - 1 || text.IndexOf('.', first + 1) != last)
        {
            return JwtStatus.BadFormat;
        }

        var read = new CompactJwt(text, last);
        var status = read.ReadHeader(text.AsSpan(0, first));
        if (status.IsOk)
        {
            status = read.ReadPayload(read.EncodedPayload);
        }

        if (!status.IsOk)
        {
            return status;
        }

        if (!StrictBase64Url.TryDecode(text.AsSpan(last + 1), out var signature))
        {
            return JwtStatus.SignatureBadBase64;
        }

        read.Signature = signature;
        token = read;
        return JwtStatus.Ok;
    }

    /// <summary>Envoy's order: not yet, then no longer. Seconds may be absurd without running over.</summary>
    public JwtStatus CheckTime(DateTimeOffset now, TimeSpan skew)
    {
        var seconds = (Int128)now.ToUnixTimeSeconds();
        var tolerance = (Int128)(long)skew.TotalSeconds;
        if (NotBefore is { } notBefore && seconds + tolerance < notBefore)
        {
            return JwtStatus.NotYetValid;
        }

        return Expires is { } expires && seconds > expires + tolerance ? JwtStatus.Expired : JwtStatus.Ok;
    }

    private JwtStatus ReadHeader(ReadOnlySpan<char> encoded)
    {
        if (!StrictBase64Url.TryDecode(encoded, out var json))
        {
            return JwtStatus.HeaderBadBase64;
        }

        if (!JwtJson.TryParseObject(json, out var header))
        {
            return JwtStatus.HeaderBadJson;
        }

        Header = header;
        if (!JwtJson.TryGetString(header, "alg", out var algorithm) || algorithm is null)
        {
            return JwtStatus.HeaderBadAlg;
        }

        // Known to Envoy, whether or not there can be a key for it here; `none` never is.
        if (algorithm is not ("RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512" or "ES256" or "ES384" or "ES512" or "HS256" or "HS384" or "HS512" or "EdDSA"))
        {
            return JwtStatus.HeaderNotImplementedAlg;
        }

        if (!JwtJson.TryGetString(header, "kid", out var keyId))
        {
            return JwtStatus.HeaderBadKid;
        }

        (Algorithm, KeyId) = (algorithm, keyId ?? "");
        return header.TryGetProperty("crit", out _) ? JwtStatus.HeaderCrit : JwtStatus.Ok;
    }

    private JwtStatus ReadPayload(ReadOnlySpan<char> encoded)
    {
        if (!StrictBase64Url.TryDecode(encoded, out var json))
        {
            return JwtStatus.PayloadBadBase64;
        }

        if (!JwtJson.TryParseObject(json, out var payload))
        {
            return JwtStatus.PayloadBadJson;
        }

        Payload = payload;
        foreach (var claim in StringClaims)
        {
            if (!JwtJson.TryGetString(payload, claim, out var text))
            {
                return JwtStatus.NotAString(claim);
            }

            (Issuer, Subject) = claim switch
            {
                "iss" => (text ?? "", Subject),
                "sub" => (Issuer, text ?? ""),
                _ => (Issuer, Subject),
            };
        }

        foreach (var claim in IntegerClaims)
        {
            var status = ReadSeconds(payload, claim, out var seconds);
            if (!status.IsOk)
            {
                return status;
            }

            (IssuedAt, NotBefore, Expires) = claim switch
            {
                "iat" => (seconds, NotBefore, Expires),
                "nbf" => (IssuedAt, seconds, Expires),
                _ => (IssuedAt, NotBefore, seconds),
            };
        }

        return ReadAudiences(payload);
    }

    // As Envoy: any JSON number, of which the integer part counts.
    private static JwtStatus ReadSeconds(JsonElement payload, string claim, out ulong? seconds)
    {
        seconds = null;
        if (!payload.TryGetProperty(claim, out var value))
        {
            return JwtStatus.Ok;
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            return JwtStatus.NotAnInteger(claim);
        }

        if (value.TryGetUInt64(out var integer))
        {
            seconds = integer;
            return JwtStatus.Ok;
        }

        // 2^64 is the first double that is too much.
        if (!value.TryGetDouble(out var number) || !(number >= 0 && number < 18446744073709551616.0))
        {
            return JwtStatus.OutOfRange(claim);
        }

        seconds = (ulong)number;
        return JwtStatus.Ok;
    }

    private JwtStatus ReadAudiences(JsonElement payload)
    {
        if (!payload.TryGetProperty("aud", out var value))
        {
            return JwtStatus.Ok;
        }

        if (value.ValueKind == JsonValueKind.Array)
        {
            var audiences = new List<string>();
            foreach (var item in value.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.String)
                {
                    return JwtStatus.PayloadBadAud;
                }

                try
                {
                    audiences.Add(item.GetString()!);
                }
                catch (InvalidOperationException)
                {
                    return JwtStatus.PayloadBadAud;
                }
            }

            Audiences = audiences;
            return JwtStatus.Ok;
        }

        if (!JwtJson.TryGetString(payload, "aud", out var audience))
        {
            return JwtStatus.PayloadBadAud;
        }

        Audiences = [audience!];
        return JwtStatus.Ok;
    }
}
