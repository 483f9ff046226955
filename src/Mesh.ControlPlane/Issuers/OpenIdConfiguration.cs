using System.Text.Json;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Issuers;

/// <summary>What an issuer publishes at <c>/.well-known/openid-configuration</c> (OpenID Connect Discovery 1.0, section 4), as far as keys are concerned.</summary>
internal static class OpenIdConfiguration
{
    private const string Suffix = "/.well-known/openid-configuration";
    private const int MaxUriLength = 2048;

    private static readonly JsonDocumentOptions _bounded = new() { MaxDepth = 16 };

    /// <summary>Where an issuer publishes; <see langword="null"/> when its name is no address.</summary>
    public static Uri? AddressOf(string issuer)
        => JwksUri.TryParse(issuer, out _, out _) && Uri.TryCreate(issuer, UriKind.Absolute, out var uri) && uri is { Query: "", Fragment: "" }
            ? new Uri(issuer.TrimEnd('/') + Suffix)
            : null;

    /// <summary>Where the keys of an issuer are.</summary>
    /// <param name="issuer">The issuer that was asked.</param>
    /// <param name="json">What it has answered.</param>
    /// <exception cref="IssuerException">It does not say, or says what is not to be believed.</exception>
    public static string JwksUriOf(string issuer, ReadOnlyMemory<byte> json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, _bounded);
        }
        catch (JsonException e)
        {
            throw new IssuerException("its answer is no JSON", e);
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object || TextOf(document.RootElement, "jwks_uri") is not { Length: > 0 and <= MaxUriLength } uri)
            {
                throw new IssuerException("its answer names no jwks_uri");
            }

            // Section 4.3: keys that somebody publishes for another are not that other's.
            if (TextOf(document.RootElement, "issuer") is { } named && named.TrimEnd('/') != issuer.TrimEnd('/'))
            {
                throw new IssuerException($"its answer is that of another issuer, \"{Shown(named)}\"; where that is meant so, write jwksUri");
            }

            if (!JwksUri.TryParse(uri, out var parsed, out _))
            {
                throw new IssuerException($"its jwks_uri is no http or https address: \"{Shown(uri)}\"");
            }

            return parsed.IsTls || issuer.StartsWith("http:", StringComparison.OrdinalIgnoreCase)
                ? uri
                : throw new IssuerException($"its jwks_uri is in clear text: \"{Shown(uri)}\"");
        }
    }

    private static string? TextOf(JsonElement json, string name)
        => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // It is a stranger's, and goes to the log.
    private static string Shown(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
