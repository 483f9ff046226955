using Envoy.Config.Accesslog.V3;
using Envoy.Data.Accesslog.V3;
using Envoy.Extensions.AccessLoggers.Filters.Cel.V3;
using Google.Protobuf.Collections;
using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using KnownFlags = Mesh.DataPlane.Formatting.ResponseFlags;
using Message = Envoy.Config.Accesslog.V3.AccessLogFilter;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Compiles the filters of access logs. What cannot be decided is refused: without it something else would be logged than was asked for.</summary>
internal static class AccessLogFilterCompiler
{
    private const int MaxDepth = 32;

    /// <param name="message">The filter.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="notes">Takes what is not done.</param>
    /// <exception cref="ResourceRejectedException">It breaks a rule, or cannot be decided here.</exception>
    public static AccessLogFilter Compile(Message message, string path, ICollection<string> notes) => Compile(message, path, notes, 0);

    /// <summary>Compiles an expression that stands somewhere else than in a filter.</summary>
    public static AccessLogFilter Expression(string text, string path)
    {
        try
        {
            return new AccessLogFilter.Expression(CelExpression.Parse(text));
        }
        catch (CelSyntaxException e)
        {
            throw new ResourceRejectedException(path, e.Message);
        }
    }

    private static AccessLogFilter Compile(Message message, string path, ICollection<string> notes, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new ResourceRejectedException(path, $"is nested more than {MaxDepth} deep");
        }

        switch (message.FilterSpecifierCase)
        {
            case Message.FilterSpecifierOneofCase.StatusCodeFilter:
                return new AccessLogFilter.Status(Comparison(message.StatusCodeFilter.Comparison, path + ".status_code_filter.comparison", notes));
            case Message.FilterSpecifierOneofCase.DurationFilter:
                return new AccessLogFilter.Duration(Comparison(message.DurationFilter.Comparison, path + ".duration_filter.comparison", notes));
            case Message.FilterSpecifierOneofCase.NotHealthCheckFilter:
                // No request is marked as one here; Envoy marks those that its filter health_check answers.
                return AccessLogFilter.Always.Instance;
            case Message.FilterSpecifierOneofCase.TraceableFilter:
                return new AccessLogFilter.Traceable();
            case Message.FilterSpecifierOneofCase.RuntimeFilter:
                return Share(message.RuntimeFilter, path + ".runtime_filter", notes);
            case Message.FilterSpecifierOneofCase.AndFilter:
                return new AccessLogFilter.All(Several(message.AndFilter.Filters, path + ".and_filter.filters", notes, depth));
            case Message.FilterSpecifierOneofCase.OrFilter:
                return new AccessLogFilter.Any(Several(message.OrFilter.Filters, path + ".or_filter.filters", notes, depth));
            case Message.FilterSpecifierOneofCase.HeaderFilter:
                return new AccessLogFilter.Header(MatcherCompiler.Header(
                    message.HeaderFilter.Header ?? throw new ResourceRejectedException(path + ".header_filter.header", "must be set"), path + ".header_filter.header"));
            case Message.FilterSpecifierOneofCase.ResponseFlagFilter:
                return Flags(message.ResponseFlagFilter, path + ".response_flag_filter");
            case Message.FilterSpecifierOneofCase.GrpcStatusFilter:
                return new AccessLogFilter.GrpcStatus([.. message.GrpcStatusFilter.Statuses.Select(s => (uint)s)], message.GrpcStatusFilter.Exclude);
            case Message.FilterSpecifierOneofCase.MetadataFilter:
                return new AccessLogFilter.Metadata(
                    message.MetadataFilter.Matcher is { } matcher ? MatcherCompiler.Metadata(matcher, path + ".metadata_filter.matcher") : null, message.MetadataFilter.MatchIfKeyNotFound ?? true);
            case Message.FilterSpecifierOneofCase.LogTypeFilter:
                var types = message.LogTypeFilter;
                return new AccessLogFilter.LogType(
                    types.Types_.Contains(AccessLogType.DownstreamEnd) != types.Exclude, types.Types_.Contains(AccessLogType.TcpConnectionEnd) != types.Exclude);
            case Message.FilterSpecifierOneofCase.ExtensionFilter:
                return Extension(message.ExtensionFilter, path + ".extension_filter");
            default:
                throw new ResourceRejectedException(path, "filter_specifier must be set");
        }
    }

    private static AccessLogFilter[] Several(RepeatedField<Message> filters, string path, ICollection<string> notes, int depth)
        => filters.Count >= 2
            ? [.. filters.Select((f, i) => Compile(f, $"{path}[{i}]", notes, depth + 1))]
            : throw new ResourceRejectedException(path, "must have at least 2 filters");

    private static AccessLogFilter.Share Share(RuntimeFilter message, string path, ICollection<string> notes)
    {
        NoRuntime(message.RuntimeKey, path + ".runtime_key", notes);
        return new AccessLogFilter.Share(
            message.PercentSampled is { } percent ? MatcherCompiler.Fraction(percent, path + ".percent_sampled") : new Fraction(0, 100), message.UseIndependentRandomness);
    }

    private static AccessLogFilter.Flags Flags(ResponseFlagFilter message, string path)
    {
        for (var i = 0; i < message.Flags.Count; i++)
        {
            if (!KnownFlags.IsKnown(message.Flags[i]))
            {
                throw new ResourceRejectedException($"{path}.flags[{i}]", $"'{message.Flags[i]}' is no response flag");
            }
        }

        return new AccessLogFilter.Flags([.. message.Flags]);
    }

    private static AccessLogFilter Extension(ExtensionFilter message, string path)
    {
        if (message.TypedConfig is not { } config || !config.Is(ExpressionFilter.Descriptor))
        {
            throw new ResourceRejectedException(path, $"'{message.Name}' ({message.TypedConfig?.TypeUrl}) is not supported: of extensions there is {ExpressionFilter.Descriptor.FullName}");
        }

        return Expression(WireMessage.Parse(ExpressionFilter.Parser, config.Value, path + ".typed_config").Expression, path + ".typed_config.expression");
    }

    private static NumberComparison Comparison(ComparisonFilter? message, string path, ICollection<string> notes)
    {
        if (message?.Value is not { } wanted)
        {
            throw new ResourceRejectedException(path + (message is null ? "" : ".value"), "must be set");
        }

        NoRuntime(wanted.RuntimeKey, path + ".value.runtime_key", notes);
        return Enum.IsDefined(message.Op) ? new NumberComparison(message.Op, wanted.DefaultValue) : throw new ResourceRejectedException(path + ".op", $"{message.Op} is not a known value");
    }

    private static void NoRuntime(string key, string path, ICollection<string> notes)
    {
        if (key.Length > 0)
        {
            notes.Add($"{path} is not looked up: there is no runtime, the value beside it counts");
        }
    }
}
