using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Formatting;

/// <summary>Every command that a format may name, by Envoy's names.</summary>
internal static class FormatCommands
{
    private static readonly string HostName = System.Net.Dns.GetHostName();

    /// <summary>What exists in Envoy and must not work here, with the reason.</summary>
    public static FrozenDictionary<string, string> Refused { get; } = new Dictionary<string, string>
    {
        ["ENVIRONMENT"] = "a control plane may not read the environment of this process",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static FrozenDictionary<string, FormatCommand> All { get; } = Commands().ToFrozenDictionary(c => c.Name, c => c.Command, StringComparer.Ordinal);

    private static IEnumerable<(string Name, FormatCommand Command)> Commands()
    {
        // The messages.
        yield return ("REQ", Header((name, alternative) => (in FormatContext c) => c.RequestHeader(name) ?? (alternative is null ? null : c.RequestHeader(alternative))));
        yield return ("REQ_WITHOUT_QUERY", Header((name, alternative) => (in FormatContext c) => WithoutQuery(c.RequestHeader(name) ?? (alternative is null ? null : c.RequestHeader(alternative)))));
        yield return ("RESP", Header((name, alternative) => (in FormatContext c) => c.ResponseHeader(name) ?? (alternative is null ? null : c.ResponseHeader(alternative))));
        yield return ("TRAILER", Header((name, alternative) => (in FormatContext c) => c.ResponseTrailer(name) ?? (alternative is null ? null : c.ResponseTrailer(alternative))));
        yield return ("PATH", new(FormatArgument.Optional, true, Path));
        yield return ("QUERY_PARAM", new(FormatArgument.Required, true, QueryParameter));
        yield return ("PROTOCOL", Of((in FormatContext c) => Protocol(c.Protocol)));
        yield return ("RESPONSE_CODE", Number((in FormatContext c) => (c.Status ?? 0).ToString(CultureInfo.InvariantCulture)));
        yield return ("RESPONSE_CODE_DETAILS", new(FormatArgument.Optional, false, Details));
        yield return ("RESPONSE_FLAGS", Of((in FormatContext c) => string.IsNullOrEmpty(c.ResponseFlags) ? "-" : c.ResponseFlags));
        yield return ("LOCAL_REPLY_BODY", Of((in FormatContext c) => c.LocalReplyBody ?? ""));
        yield return ("GRPC_STATUS", new(FormatArgument.Optional, false, GrpcStatusFormat.Parse));
        yield return ("GRPC_STATUS_NUMBER", new(FormatArgument.None, false, _ => GrpcStatusFormat.Parse("NUMBER"), IsNumber: true));

        // The way.
        yield return ("ROUTE_NAME", Of((in FormatContext c) => c.Route is { Name.Length: > 0 } route ? route.Name : null));
        yield return ("VIRTUAL_HOST_NAME", Of((in FormatContext c) => c.VirtualHost));
        yield return ("UPSTREAM_CLUSTER", Of((in FormatContext c) => c.Cluster));
        yield return ("UPSTREAM_CLUSTER_RAW", Of((in FormatContext c) => c.Cluster));
        yield return ("UPSTREAM_HOST", Of((in FormatContext c) => RemoteOf(c)?.ToString()));
        yield return ("UPSTREAM_HOST_NAME", Of((in FormatContext c) => HostNameOf(c) ?? RemoteOf(c)?.ToString()));
        yield return ("UPSTREAM_HOST_NAME_WITHOUT_PORT", Of((in FormatContext c) => HostNameOf(c) ?? AddressOf(c)));
        yield return ("UPSTREAM_REMOTE_ADDRESS", Of((in FormatContext c) => RemoteOf(c)?.ToString()));
        yield return ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Of((in FormatContext c) => AddressOf(c)));
        yield return ("UPSTREAM_REMOTE_PORT", Number((in FormatContext c)
            => (RemoteOf(c) as IPEndPoint)?.Port.ToString(CultureInfo.InvariantCulture)));
        yield return ("UPSTREAM_PROTOCOL", Of((in FormatContext c) => Protocol(c.UpstreamProtocol)));
        yield return ("UPSTREAM_REQUEST_ATTEMPT_COUNT", Number((in FormatContext c) => (c.Attempts ?? 0).ToString(CultureInfo.InvariantCulture)));

        // The place and the time.
        yield return ("HOSTNAME", Of((in FormatContext _) => HostName));
        yield return ("START_TIME", Time((in FormatContext c) => c.StartTime ?? c.Time.GetUtcNow(), local: false));
        yield return ("START_TIME_LOCAL", Time((in FormatContext c) => c.StartTime ?? c.Time.GetUtcNow(), local: true));
        yield return ("EMIT_TIME", Time((in FormatContext c) => c.Time.GetUtcNow(), local: false));
        yield return ("EMIT_TIME_LOCAL", Time((in FormatContext c) => c.Time.GetUtcNow(), local: true));

        // The connection that a request came in by.
        foreach (var (name, value) in ConnectionCommands.All)
        {
            yield return (name, new(FormatArgument.None, LengthAllowed: true, _ => value, IsNumber: name.EndsWith("_PORT", StringComparison.Ordinal) && !name.EndsWith("WITHOUT_PORT", StringComparison.Ordinal)) { IsOfConnection = true });
        }

        // What an in-process client has no connection, peer or store to tell of.
        foreach (var name in UnansweredCommands.Names.Where(n => !ConnectionCommands.All.ContainsKey(n)))
        {
            yield return (name, new(FormatArgument.Optional, true, _ => (in FormatContext _) => null) { IsNeverKnown = true });
        }
    }

    private delegate DateTimeOffset TimeOf(in FormatContext context);

    private static FormatCommand Of(FormatValue value) => new(FormatArgument.None, LengthAllowed: false, _ => value);

    private static FormatCommand Number(FormatValue value) => new(FormatArgument.None, LengthAllowed: false, _ => value, IsNumber: true);

    private static FormatCommand Time(TimeOf time, bool local)
        => new(FormatArgument.Optional, LengthAllowed: false, argument =>
        {
            var format = TimeFormat.Parse(argument.Length == 0 ? TimeFormat.Default : argument, local);
            return (in FormatContext c) => format.Render(time(c));
        });

    // NAME, or NAME?ALTERNATIVE.
    private static FormatCommand Header(Func<HeaderName, HeaderName?, FormatValue> create)
        => new(FormatArgument.Required, LengthAllowed: true, argument =>
        {
            var names = argument.Split('?');
            if (names.Length > 2)
            {
                throw new FormatException("more than one alternative header");
            }

            return create(Name(names[0]), names.Length == 2 && names[1].Length > 0 ? Name(names[1]) : null);
        });

    private static HeaderName Name(string name)
        => HeaderName.IsValid(name.AsSpan(name.StartsWith(':') ? 1 : 0)) ? new HeaderName(name) : throw new FormatException($"'{name}' is no header name");

    private static FormatValue Path(string argument)
    {
        var parts = argument.Split(':');
        bool? withQuery = parts[0] switch
        {
            "" or "WQ" => true,
            "NQ" => false,
            _ => null,
        };
        var source = parts.Length > 1 ? parts[1] : "ORIG_OR_PATH";
        if (withQuery is null || parts.Length > 2 || source is not ("" or "ORIG" or "PATH" or "ORIG_OR_PATH"))
        {
            throw new FormatException("the argument is WQ or NQ, then ORIG, PATH or ORIG_OR_PATH after a colon");
        }

        var original = new HeaderName("x-envoy-original-path");
        return (in FormatContext c) =>
        {
            var path = source switch
            {
                "ORIG" => c.RequestHeader(original),
                "PATH" => c.PathAndQuery,
                _ => c.RequestHeader(original) ?? c.PathAndQuery,
            };
            return withQuery.Value ? path : WithoutQuery(path);
        };
    }

    private static FormatValue QueryParameter(string name)
        => (in FormatContext c) => c.PathAndQuery is { } path && path.IndexOf('?') is >= 0 and var start
            && QueryParameterMatcher.TryGet(path.AsSpan(start + 1), name, out var value) ? value.ToString() : null;

    private static FormatValue Details(string argument)
        => argument switch
        {
            "" => (in FormatContext c) => c.ResponseCodeDetails?.Replace(' ', '_'),
            "ALLOW_WHITESPACES" => (in FormatContext c) => c.ResponseCodeDetails,
            _ => throw new FormatException("the argument is ALLOW_WHITESPACES"),
        };

    private static string? WithoutQuery(string? path) => path is not null && path.IndexOf('?') is >= 0 and var query ? path[..query] : path;

    private static string? Protocol(Version? version)
        => version is null ? null : version.Major >= 2 ? $"HTTP/{version.Major}" : $"HTTP/{version.Major}.{version.Minor}";

    private static string? HostNameOf(in FormatContext context) => context.Endpoint is { Resource.Hostname: { Length: > 0 } name } ? name : null;

    private static EndPoint? RemoteOf(in FormatContext context) => context.Endpoint is { } endpoint ? LogicalHost.AddressOf(endpoint.Resource.Address) : null;

    private static string? AddressOf(in FormatContext context)
        => RemoteOf(context) is { } address ? (address as IPEndPoint)?.Address.ToString() ?? address.ToString() : null;
}
