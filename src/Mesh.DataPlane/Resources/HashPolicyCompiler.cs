using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Matching.Re2;
using Mesh.DataPlane.Routing;
using Mesh.Xds.Client;
using Message = Envoy.Config.Route.V3.RouteAction.Types.HashPolicy;
using Specifier = Envoy.Config.Route.V3.RouteAction.Types.HashPolicy.PolicySpecifierOneofCase;

namespace Mesh.DataPlane.Resources;

/// <summary>Compiles hash policies, those of routes and those of clusters.</summary>
internal static class HashPolicyCompiler
{
    private const string ChannelId = "io.grpc.channel_id";

    /// <param name="messages">The policies, in the order in which they are asked.</param>
    /// <param name="path">Where they stand.</param>
    /// <param name="notes">Receives what they ask that no request of this data plane has, in words.</param>
    /// <returns><see langword="null"/> when no policy can find anything to hash.</returns>
    /// <exception cref="ResourceRejectedException">A pattern or a cookie is malformed.</exception>
    public static HashPolicies? Compile(IReadOnlyList<Message> messages, string path, ICollection<string> notes)
    {
        var policies = new List<HashPolicy>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i] is { PolicySpecifierCase: Specifier.FilterState, FilterState: { Key: not ChannelId } state })
            {
                notes.Add($"{path}[{i}] hashes the filter state '{state.Key}', which requests do not have here");
            }
            else if (Compile(messages[i], $"{path}[{i}]") is { } policy)
            {
                policies.Add(policy);
            }
        }

        return policies.Count == 0 ? null : new HashPolicies([.. policies]);
    }

    private static HashPolicy? Compile(Message message, string path)
    {
        switch (message.PolicySpecifierCase)
        {
            case Specifier.Header:
                return Header(message, path + ".header");
            case Specifier.Cookie:
                return new HashPolicy.Cookie(Token(message.Cookie.Name, path + ".cookie.name"), Generated(message.Cookie, path + ".cookie")) { IsTerminal = message.Terminal };
            case Specifier.ConnectionProperties:
                return message.ConnectionProperties.SourceIp ? new HashPolicy.SourceIp { IsTerminal = message.Terminal } : null;
            case Specifier.QueryParameter:
                return new HashPolicy.QueryParameter(message.QueryParameter.Name) { IsTerminal = message.Terminal };
            case Specifier.FilterState:
                return new HashPolicy.ChannelId { IsTerminal = message.Terminal };
            default:
                throw new ResourceRejectedException(path, "policy_specifier must be set");
        }
    }

    private static HashPolicy.Header Header(Message message, string path)
    {
        var name = new HeaderName(message.Header.HeaderName);
        if (message.Header.RegexRewrite is not { } rewrite)
        {
            return new HashPolicy.Header(name, null, null) { IsTerminal = message.Terminal };
        }

        if (rewrite.Pattern is null)
        {
            throw new ResourceRejectedException(path + ".regex_rewrite.pattern", "must be set");
        }

        var pattern = MatcherCompiler.Regex(rewrite.Pattern, path + ".regex_rewrite.pattern");
        try
        {
            return new HashPolicy.Header(name, pattern, pattern.ParseSubstitution(rewrite.Substitution)) { IsTerminal = message.Terminal };
        }
        catch (Re2SyntaxException e)
        {
            throw new ResourceRejectedException(path + ".regex_rewrite.substitution", e.Message);
        }
    }

    // They become part of a response header; nothing in them may end it or begin another attribute.
    private static GeneratedCookie? Generated(Message.Types.Cookie cookie, string path)
        => cookie.Ttl is null
            ? null
            : new GeneratedCookie(
                cookie.Ttl.ToTimeSpan(),
                Text(cookie.Path, path + ".path"),
                cookie.Attributes.Select((a, i) => (Token(a.Name, $"{path}.attributes[{i}].name"), Text(a.Value, $"{path}.attributes[{i}].value"))));

    private static string Token(string value, string path)
        => value.AsSpan().ContainsAnyExceptInRange('!', '~') || value.AsSpan().ContainsAny("\"(),/:;<=>?@[\\]{}")
            ? throw new ResourceRejectedException(path, "has characters that the name of a cookie or attribute cannot have")
            : value;

    private static string Text(string value, string path)
        => value.AsSpan().ContainsAnyExceptInRange(' ', '~') || value.Contains(';')
            ? throw new ResourceRejectedException(path, "has characters that a cookie's attribute cannot have")
            : value;
}
