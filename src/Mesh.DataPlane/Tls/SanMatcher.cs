using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>A name that a peer's certificate may have.</summary>
/// <param name="Type">What it is; <see langword="null"/> for any of DNS name, URI, email and address.</param>
/// <param name="Oid">The kind of an <c>otherName</c>.</param>
/// <param name="Exact">The DNS name that it must be, for which wildcards of the certificate count.</param>
/// <param name="Matcher">What the name must be like.</param>
internal sealed record SanMatcher(SubjectAltNameType? Type, string Oid, string? Exact, StringMatcher Matcher)
{
    /// <exception cref="ResourceRejectedException">It is no matcher.</exception>
    public static SanMatcher Compile(SubjectAltNameMatcher message, string path)
    {
        SubjectAltNameType type = message.SanType switch
        {
            SubjectAltNameMatcher.Types.SanType.Email => SubjectAltNameType.Email,
            SubjectAltNameMatcher.Types.SanType.Dns => SubjectAltNameType.Dns,
            SubjectAltNameMatcher.Types.SanType.Uri => SubjectAltNameType.Uri,
            SubjectAltNameMatcher.Types.SanType.IpAddress => SubjectAltNameType.IpAddress,
            SubjectAltNameMatcher.Types.SanType.OtherName => SubjectAltNameType.OtherName,
            _ => throw new ResourceRejectedException(path + ".san_type", $"{message.SanType} is not known"),
        };
        if (type == SubjectAltNameType.OtherName != message.Oid.Length > 0)
        {
            throw new ResourceRejectedException(path + ".oid", "must be set for OTHER_NAME and for nothing else");
        }

        return new SanMatcher(
            type, message.Oid, type == SubjectAltNameType.Dns ? ExactOf(message.Matcher) : null, MatcherCompiler.String(message.Matcher, path + ".matcher"));
    }

    /// <summary>The older form, which does not say what the name is.</summary>
    /// <exception cref="ResourceRejectedException">It is no matcher.</exception>
    public static SanMatcher Compile(Envoy.Type.Matcher.V3.StringMatcher message, string path)
        => new(null, "", ExactOf(message), MatcherCompiler.String(message, path));

    public bool Matches(SubjectAltNames names)
    {
        foreach (var name in names.Names)
        {
            var isOfType = Type is null ? name.Type != SubjectAltNameType.OtherName : name.Type == Type && name.Oid == Oid;
            if (isOfType && (Matcher.IsMatch(name.Value) || (Exact is not null && name.Type == SubjectAltNameType.Dns && DnsNames.Match(name.Value, Exact))))
            {
                return true;
            }
        }

        return false;
    }

    private static string? ExactOf(Envoy.Type.Matcher.V3.StringMatcher message)
        => message.MatchPatternCase == Envoy.Type.Matcher.V3.StringMatcher.MatchPatternOneofCase.Exact ? message.Exact : null;
}
