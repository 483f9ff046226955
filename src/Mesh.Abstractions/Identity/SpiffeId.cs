using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Mesh.Identity;

/// <summary>
/// Who a workload is: <c>spiffe://cluster.local/ns/default/sa/productpage</c> (SPIFFE-ID standard, section 2). There is one way to write an identity,
/// and comparison is by that: upper case in a trust domain, an encoded character, a port, a query or an empty segment makes it no identity at all.
/// </summary>
public readonly record struct SpiffeId
{
    /// <summary>The most bytes that an identity may have.</summary>
    public const int MaxLength = 2048;

    private const string Scheme = "spiffe://";
    private const int MaxTrustDomainLength = 255;

    private static readonly SearchValues<char> _trustDomainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-_");
    private static readonly SearchValues<char> _pathCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");

    private readonly string? _text;
    private readonly int _pathStart;

    private SpiffeId(string text, int pathStart) => (_text, _pathStart) = (text, pathStart);

    /// <summary>The trust domain: <c>cluster.local</c>.</summary>
    public string TrustDomain => _text is null ? "" : _text[Scheme.Length.._pathStart];

    /// <summary>The path with its leading slash: <c>/ns/default/sa/productpage</c>; empty for the trust domain itself.</summary>
    public string Path => _text is null ? "" : _text[_pathStart..];

    /// <summary>The namespace, where the path has the form that Istio gives it; otherwise <see langword="null"/>.</summary>
    public string? Namespace => IstioParts() is var (ns, _) ? ns : null;

    /// <summary>The service account, where the path has the form that Istio gives it; otherwise <see langword="null"/>.</summary>
    public string? ServiceAccount => IstioParts() is var (_, account) ? account : null;

    /// <summary>Reads an identity.</summary>
    /// <param name="text">The URI.</param>
    /// <returns>The identity.</returns>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static SpiffeId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Check(text, out var pathStart) is { } problem
            ? throw new FormatException($"'{(text.Length > 100 ? text[..100] + "…" : text)}' is no SPIFFE identity: {problem}.")
            : new SpiffeId(text, pathStart);
    }

    /// <summary>Reads an identity, if it is one.</summary>
    /// <param name="text">The URI.</param>
    /// <param name="id">The identity.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out SpiffeId id)
    {
        var isOne = text is not null & Check(text ?? "", out var pathStart) is null;
        id = isOne ? new SpiffeId(text!, pathStart) : default;
        return isOne;
    }

    /// <summary>The identity of a service account (Istio's form).</summary>
    /// <param name="trustDomain">The trust domain.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="serviceAccount">The service account.</param>
    /// <returns><c>spiffe://trust-domain/ns/namespace/sa/account</c>.</returns>
    /// <exception cref="FormatException">One of the names cannot be part of an identity.</exception>
    public static SpiffeId ForWorkload(string trustDomain, string @namespace, string serviceAccount)
    {
        ArgumentNullException.ThrowIfNull(trustDomain);
        ArgumentNullException.ThrowIfNull(@namespace);
        ArgumentNullException.ThrowIfNull(serviceAccount);
        var id = Parse($"{Scheme}{trustDomain}/ns/{@namespace}/sa/{serviceAccount}");
        return id.TrustDomain == trustDomain && id.Namespace == @namespace && id.ServiceAccount == serviceAccount
            ? id
            : throw new FormatException($"'{trustDomain}', '{@namespace}' and '{serviceAccount}' make no identity: a slash is part of one of them.");
    }

    /// <summary>Whether it is of a trust domain.</summary>
    /// <param name="trustDomain">The trust domain.</param>
    /// <returns>Whether it is.</returns>
    public bool IsMemberOf(ReadOnlySpan<char> trustDomain) => _text is not null && _text.AsSpan(Scheme.Length, _pathStart - Scheme.Length).SequenceEqual(trustDomain);

    /// <inheritdoc/>
    public override string ToString() => _text ?? "";

    private static string? Check(string text, out int pathStart)
    {
        pathStart = 0;
        if (text.Length > MaxLength)
        {
            return $"it is longer than {MaxLength} bytes";
        }

        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return $"it does not begin with {Scheme}";
        }

        var rest = text.AsSpan(Scheme.Length);
        var slash = rest.IndexOf('/');
        var trustDomain = slash < 0 ? rest : rest[..slash];
        if (trustDomain.IsEmpty || trustDomain.Length > MaxTrustDomainLength)
        {
            return $"its trust domain must have 1 to {MaxTrustDomainLength} characters";
        }

        if (trustDomain.ContainsAnyExcept(_trustDomainCharacters))
        {
            return "its trust domain may have lower-case letters, digits, dots, dashes and underscores only";
        }

        pathStart = Scheme.Length + trustDomain.Length;
        if (slash < 0)
        {
            return null;
        }

        var path = rest[(slash + 1)..];
        foreach (var range in path.Split('/'))
        {
            var segment = path[range];
            if (segment.IsEmpty)
            {
                return "its path has an empty segment";
            }

            if (segment is "." or "..")
            {
                return "its path has a relative segment";
            }

            if (segment.ContainsAnyExcept(_pathCharacters))
            {
                return "its path may have letters, digits, dots, dashes and underscores only";
            }
        }

        return null;
    }

    private (string Namespace, string Account)? IstioParts()
        => Path.Split('/') is ["", "ns", var ns, "sa", var account] ? (ns, account) : null;
}
