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

    public static FrozenDictionary<string, FormatCommand> All { get; } = Commands().ToFrozenDictionary(c => c.Name, c => c.Command, StringComparer.Ordinal);

    /// <summary>The first of some commands that requests never have a value for; <see langword="null"/> for none.</summary>
    public static string? FindOfConnectionsAlone(IEnumerable<string> commands) => commands.FirstOrDefault(c => All[c].IsOfConnectionsAlone);

    /// <summary>Why such a command cannot stand where requests are told of.</summary>
    public static string WhyOfConnectionsAlone(string command)
        => $"%{command}%, which is known of connections that are carried as they are and never of requests: the framework does not tell which connection carries one; leave it out";

    private static IEnumerable<(string Name, FormatCommand Command)> Commands()
    {
        // The messages.
        foreach (var name in (string[])["REQ", "REQUEST_HEADER"])
        {
            yield return (name, Header((name, alternative) => (in FormatContext c) => c.RequestHeader(name) ?? (alternative is null ? null : c.RequestHeader(alternative)), ofRequest: true));
        }

        foreach (var name in (string[])["RESP", "RESPONSE_HEADER"])
        {
            yield return (name, Header((name, alternative) => (in FormatContext c) => c.ResponseHeader(name) ?? (alternative is null ? null : c.ResponseHeader(alternative))));
        }

        foreach (var name in (string[])["TRAILER", "RESPONSE_TRAILER"])
        {
            yield return (name, Header((name, alternative) => (in FormatContext c) => c.ResponseTrailer(name) ?? (alternative is null ? null : c.ResponseTrailer(alternative))));
        }

        yield return ("REQ_WITHOUT_QUERY", Header(
            (name, alternative) => (in FormatContext c) => WithoutQuery(c.RequestHeader(name) ?? (alternative is null ? null : c.RequestHeader(alternative))), ofRequest: true));
        yield return ("PATH", new(FormatArgument.Optional, true, Path) { Reads = _ => ["x-envoy-original-path"] });
        yield return ("QUERY_PARAM", new(FormatArgument.Required, true, QueryParameter));
        yield return ("QUERY_PARAMS", new(FormatArgument.Optional, true, QueryParameters));
        yield return ("PROTOCOL", Of((in FormatContext c) => Protocol(c.Protocol)));
        yield return ("RESPONSE_CODE", FormatCommand.OfNumber(FormatArgument.None, _ => (in FormatContext c) => c.Status ?? 0) with { LengthAllowed = false });
        yield return ("RESPONSE_CODE_DETAILS", new(FormatArgument.Optional, false, Details));
        yield return ("RESPONSE_FLAGS", Of((in FormatContext c) => string.IsNullOrEmpty(c.ResponseFlags) ? "-" : c.ResponseFlags));
        yield return ("RESPONSE_FLAGS_LONG", Of((in FormatContext c) => string.IsNullOrEmpty(c.ResponseFlags) ? "-" : ResponseFlags.Long(c.ResponseFlags)) with { LengthAllowed = true });
        yield return ("LOCAL_REPLY_BODY", Of((in FormatContext c) => c.LocalReplyBody ?? ""));
        yield return ("GRPC_STATUS", new(FormatArgument.Optional, false, GrpcStatusFormat.Parse) { Reads = _ => ["content-type"] });
        yield return ("GRPC_STATUS_NUMBER", FormatCommand.OfNumber(FormatArgument.None, _ => (in FormatContext c) => GrpcStatusFormat.StatusOf(c)) with { LengthAllowed = false, Reads = _ => ["content-type"] });

        // The way.
        yield return ("ROUTE_NAME", Of((in FormatContext c) => c.Route is { Name.Length: > 0 } route ? route.Name : null));
        yield return ("VIRTUAL_HOST_NAME", Of((in FormatContext c) => c.VirtualHost));
        yield return ("UPSTREAM_CLUSTER", Of((in FormatContext c) => c.ObservedCluster ?? c.Cluster));
        yield return ("UPSTREAM_CLUSTER_RAW", Of((in FormatContext c) => c.Cluster));
        yield return ("UPSTREAM_HOST", FormatCommand.OfAddress((in FormatContext c) => RemoteOf(c)));
        yield return ("UPSTREAM_HOST_NAME", Of((in FormatContext c) => HostNameOf(c) ?? RemoteOf(c)?.ToString()));
        yield return ("UPSTREAM_HOST_NAME_WITHOUT_PORT", Of((in FormatContext c) => HostNameOf(c) ?? AddressOf(c)));
        yield return ("UPSTREAM_REMOTE_ADDRESS", FormatCommand.OfAddress((in FormatContext c) => RemoteOf(c)));
        yield return ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", new(FormatArgument.Optional, LengthAllowed: true, argument => AddressMask.Apply(argument, (in FormatContext c) => AddressOf(c))));
        yield return ("UPSTREAM_REMOTE_PORT", FormatCommand.OfNumber(FormatArgument.None, _ => (in FormatContext c) => (RemoteOf(c) as IPEndPoint)?.Port) with { LengthAllowed = false });
        yield return ("UPSTREAM_PROTOCOL", Of((in FormatContext c) => Protocol(c.UpstreamProtocol)));
        yield return ("UPSTREAM_REQUEST_ATTEMPT_COUNT", FormatCommand.OfNumber(FormatArgument.None, _ => (in FormatContext c) => c.Attempts ?? 0) with { LengthAllowed = false });

        // The place and the time.
        yield return ("HOSTNAME", Of((in FormatContext _) => HostName));
        yield return ("START_TIME", Time((in FormatContext c) => c.StartTime ?? c.Time.GetUtcNow(), local: false));
        yield return ("START_TIME_LOCAL", Time((in FormatContext c) => c.StartTime ?? c.Time.GetUtcNow(), local: true));
        yield return ("EMIT_TIME", Time((in FormatContext c) => c.Time.GetUtcNow(), local: false));
        yield return ("EMIT_TIME_LOCAL", Time((in FormatContext c) => c.Time.GetUtcNow(), local: true));

        // What Envoy has no value for either, unless something gives it one that there is none of here: flags of one's own, virtual clusters, internal listeners.
        yield return ("CUSTOM_FLAGS", Of((in FormatContext _) => ""));
        foreach (var name in (string[])["VIRTUAL_CLUSTER_NAME", "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID", "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID", "UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID"])
        {
            yield return (name, Of((in FormatContext _) => null));
        }

        // What others have left, and what is made of other commands.
        foreach (var command in MetadataCommands.All.Concat(FilterStateCommands.All).Concat(CompositeCommands.All).Concat(EndCommands.All).Concat(UpstreamCommands.All).Concat(ConnectionCommands.Commands))
        {
            yield return command;
        }
    }

    private delegate DateTimeOffset TimeOf(in FormatContext context);

    private static FormatCommand Of(FormatValue value) => new(FormatArgument.None, LengthAllowed: false, _ => value);

    private static FormatCommand Time(TimeOf time, bool local)
        => new(FormatArgument.Optional, LengthAllowed: false, argument =>
        {
            var format = TimeFormat.Parse(argument.Length == 0 ? TimeFormat.Default : argument, local);
            return (in FormatContext c) => format.Render(time(c));
        })
        {
            CreateWrite = argument => WriteOf(argument, time, local),
        };

    private static FormatWrite? WriteOf(string argument, TimeOf time, bool local)
    {
        if (!local && argument is "" or TimeFormat.Default)
        {
            return (in FormatContext c, Utf8Text text) =>
            {
                text.AppendTime(time(c));
                return true;
            };
        }

        var format = TimeFormat.Parse(argument.Length == 0 ? TimeFormat.Default : argument, local);
        return !format.IsPlain ? null : (in FormatContext c, Utf8Text text) =>
        {
            format.Write(time(c), text);
            return true;
        };
    }

    // NAME, or NAME?ALTERNATIVE.
    private static FormatCommand Header(Func<HeaderName, HeaderName?, FormatValue> create, bool ofRequest = false)
        => new(FormatArgument.Required, LengthAllowed: true, argument =>
        {
            var names = argument.Split('?');
            if (names.Length > 2)
            {
                throw new FormatException("more than one alternative header");
            }

            return create(Name(names[0]), names.Length == 2 && names[1].Length > 0 ? Name(names[1]) : null);
        })
        {
            Reads = ofRequest ? argument => argument.Split('?').Where(n => n.Length > 0) : null,
        };

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

    private static FormatValue QueryParameters(string argument)
        => argument switch
        {
            "" or "ORIG" => (in FormatContext c) => QueryOf(c),
            "DECODED" => (in FormatContext c) => QueryOf(c) is { } query ? Uri.UnescapeDataString(query) : null,
            _ => throw new FormatException("the argument is ORIG or DECODED"),
        };

    private static string? QueryOf(in FormatContext context)
        => context.PathAndQuery is { } path && path.IndexOf('?') is >= 0 and var start && start + 1 < path.Length ? path[(start + 1)..] : null;

    private static FormatValue Details(string argument)
        => argument switch
        {
            "" => (in FormatContext c) => c.ResponseCodeDetails?.Replace(' ', '_'),
            "ALLOW_WHITESPACES" => (in FormatContext c) => c.ResponseCodeDetails,
            _ => throw new FormatException("the argument is ALLOW_WHITESPACES"),
        };

    private static string? WithoutQuery(string? path) => path is not null && path.IndexOf('?') is >= 0 and var query ? path[..query] : path;

    public static string? Protocol(Version? version)
        => version is null ? null : (version.Major, version.Minor) switch
        {
            (1, 1) => "HTTP/1.1",
            (1, 0) => "HTTP/1.0",
            (2, _) => "HTTP/2",
            (3, _) => "HTTP/3",
            ( >= 2, _) => $"HTTP/{version.Major}",
            _ => $"HTTP/{version.Major}.{version.Minor}",
        };

    private static string? HostNameOf(in FormatContext context) => context.Endpoint is { } endpoint ? UpstreamCommands.HostNameOf(endpoint) : null;

    private static EndPoint? RemoteOf(in FormatContext context) => context.Endpoint is { } endpoint ? LogicalHost.AddressOf(endpoint.Resource.Address) : null;

    private static string? AddressOf(in FormatContext context) => context.Endpoint is { } endpoint ? UpstreamCommands.AddressOf(endpoint, withPort: false) : null;
}
