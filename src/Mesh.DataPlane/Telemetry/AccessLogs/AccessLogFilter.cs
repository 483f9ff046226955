using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Envoy's <c>AccessLogFilter</c>, compiled: whether a request that is over is logged.</summary>
internal abstract class AccessLogFilter
{
    public abstract bool Matches(in FormatContext context, IRandomSource random);

    /// <summary>The headers of the request that it reads.</summary>
    public virtual IEnumerable<string> RequestHeaders => [];

    /// <summary>Of connections, nothing passes that a filter chain is for: what has none has the flag <c>NR</c>, which Istio's logs of listeners ask for.</summary>
    public virtual bool IsForUnmatched => false;

    /// <summary>A filter that a message has room for and that passes everything here.</summary>
    internal sealed class Always : AccessLogFilter
    {
        public static Always Instance { get; } = new();

        public override bool Matches(in FormatContext context, IRandomSource random) => true;
    }

    internal sealed class Status(NumberComparison comparison) : AccessLogFilter
    {
        public override bool Matches(in FormatContext context, IRandomSource random) => comparison.Holds(context.Status ?? 0);
    }

    /// <summary>In milliseconds.</summary>
    internal sealed class Duration(NumberComparison comparison) : AccessLogFilter
    {
        public override bool Matches(in FormatContext context, IRandomSource random)
            => context.Record is { } record && comparison.Holds((long)record.Duration.TotalMilliseconds);
    }

    /// <summary>The request is in a trace that is recorded.</summary>
    internal sealed class Traceable : AccessLogFilter
    {
        public override bool Matches(in FormatContext context, IRandomSource random) => context.Record?.Span?.Recorded == true;
    }

    /// <summary>A share of all requests; by their ids, so that all who log one of them log the same ones, unless it is to be by chance.</summary>
    internal sealed class Share(Fraction fraction, bool byChance) : AccessLogFilter
    {
        public override bool Matches(in FormatContext context, IRandomSource random)
            => !byChance && context.Record?.RequestId is { Length: >= 8 } id
                && uint.TryParse(id.AsSpan(0, 8), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var number)
                ? number % fraction.Denominator < fraction.Numerator
                : fraction.Happens(random);
    }

    internal sealed class All(AccessLogFilter[] filters) : AccessLogFilter
    {
        public override bool IsForUnmatched => Array.Exists(filters, f => f.IsForUnmatched);

        public override IEnumerable<string> RequestHeaders => filters.SelectMany(f => f.RequestHeaders);

        public override bool Matches(in FormatContext context, IRandomSource random)
        {
            foreach (var filter in filters)
            {
                if (!filter.Matches(context, random))
                {
                    return false;
                }
            }

            return true;
        }
    }

    internal sealed class Any(AccessLogFilter[] filters) : AccessLogFilter
    {
        public override IEnumerable<string> RequestHeaders => filters.SelectMany(f => f.RequestHeaders);

        public override bool Matches(in FormatContext context, IRandomSource random)
        {
            foreach (var filter in filters)
            {
                if (filter.Matches(context, random))
                {
                    return true;
                }
            }

            return false;
        }
    }

    internal sealed class Header(HeaderMatcher matcher) : AccessLogFilter
    {
        public override IEnumerable<string> RequestHeaders => [matcher.Name.Value];

        public override bool Matches(in FormatContext context, IRandomSource random)
            => context is { RequestHeaders: { } headers, Request: { } request }
                && matcher.IsMatch(new RequestView(context.PathAndQuery, context.Method ?? "", context.Authority, context.Scheme ?? "", headers, request));
    }

    /// <summary>One of some flags, or any at all.</summary>
    internal sealed class Flags(string[] flags) : AccessLogFilter
    {
        public override bool IsForUnmatched => flags is ["NR"];

        public override bool Matches(in FormatContext context, IRandomSource random)
        {
            if (string.IsNullOrEmpty(context.ResponseFlags))
            {
                return false;
            }

            foreach (var flag in flags)
            {
                if (ResponseFlags.Contains(context.ResponseFlags, flag))
                {
                    return true;
                }
            }

            return flags.Length == 0;
        }
    }

    /// <summary>The status of gRPC, or what the status of HTTP stands for where there is none.</summary>
    internal sealed class GrpcStatus(uint[] statuses, bool excluded) : AccessLogFilter
    {
        public override IEnumerable<string> RequestHeaders => ["content-type"];

        public override bool Matches(in FormatContext context, IRandomSource random)
            => Array.IndexOf(statuses, GrpcStatusFormat.StatusOf(context) ?? FromHttp(context.Status ?? 0)) >= 0 != excluded;

        private static uint FromHttp(int status)
            => status switch
            {
                400 => 13,
                401 => 16,
                403 => 7,
                404 => 12,
                429 or 502 or 503 or 504 => 14,
                _ => 2,
            };
    }

    /// <summary>What filters have left; where there is nothing, what is said for that.</summary>
    internal sealed class Metadata(MetadataMatcher? matcher, bool whenAbsent) : AccessLogFilter
    {
        public override bool Matches(in FormatContext context, IRandomSource random)
            => matcher is not null && context.Metadata is { } metadata && metadata.TryGetValue(matcher.Filter, out var root) && matcher.Find(root) is { } value
                ? matcher.Value.IsMatch(value, exists: true) != matcher.Invert
                : whenAbsent;
    }

    /// <summary>Entries are written when a request or a connection is over, and at no other time.</summary>
    internal sealed class LogType(bool ofRequests, bool ofConnections) : AccessLogFilter
    {
        public override bool Matches(in FormatContext context, IRandomSource random) => context.Record?.IsConnection == true ? ofConnections : ofRequests;
    }

    internal sealed class Expression(CelExpression expression) : AccessLogFilter
    {
        public override IEnumerable<string> RequestHeaders => expression.RequestHeaders;

        public override bool Matches(in FormatContext context, IRandomSource random) => expression.IsTrue(context);
    }
}
