using System.Globalization;
using Mesh.DataPlane.Retry;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// The <c>x-envoy-*</c> headers by which a request governs its own retries and timeouts. In process the caller is the application, so they are
/// honoured; like Envoy's router it is this place that takes them off the request, and the caller gets them back afterwards.
/// </summary>
internal sealed class ControlHeaders
{
    private const string Prefix = "x-envoy-";

    private static readonly string[] Known =
    [
        "x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-retriable-status-codes", "x-envoy-retriable-header-names",
        "x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-upstream-stream-duration-ms",
        "x-envoy-upstream-rq-timeout-alt-response", "x-envoy-hedge-on-per-try-timeout",
    ];

    private readonly List<(string Name, string Value)> _taken = [];

    public RetryOn RetryOn { get; private set; }

    /// <summary><c>x-envoy-max-retries</c>: replaces the route's number.</summary>
    public uint? MaxRetries { get; private set; }

    public TimeSpan? Timeout { get; private set; }

    public TimeSpan? PerTryTimeout { get; private set; }

    /// <summary><c>x-envoy-upstream-stream-duration-ms</c>: takes the place of the cluster's <c>max_stream_duration</c>.</summary>
    public TimeSpan? StreamDuration { get; private set; }

    public bool? HedgeOnPerTryTimeout { get; private set; }

    /// <summary><c>x-envoy-upstream-rq-timeout-alt-response</c>: a timeout is answered with 204.</summary>
    public bool AlternativeTimeoutReply { get; private set; }

    /// <summary>Beside the policy's.</summary>
    public List<uint> StatusCodes { get; } = [];

    /// <summary>Response headers whose presence calls for a retry, beside the policy's.</summary>
    public List<string> ResponseHeaders { get; } = [];

    /// <summary>Reads the headers and takes them off; <see langword="null"/> when there are none, as nearly always.</summary>
    public static ControlHeaders? Take(HttpRequestMessage request)
    {
        var headers = request.Headers.NonValidated;
        if (headers.Count == 0)
        {
            return null;
        }

        // Whoever goes through them has a token written out, which is long; by their names nothing is written.
        if (headers.Contains("Authorization") && !Array.Exists(Known, headers.Contains))
        {
            return null;
        }

        ControlHeaders? control = null;
        foreach (var (name, values) in headers)
        {
            if (name.Length > Prefix.Length && name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                var read = control ?? new ControlHeaders();
                if (read.Read(name, values.ToString()))
                {
                    control = read;
                }
            }
        }

        if (control is not null)
        {
            foreach (var (name, _) in control._taken)
            {
                request.Headers.Remove(name);
            }
        }

        return control;
    }

    public void Restore(HttpRequestMessage request)
    {
        foreach (var (name, value) in _taken)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private bool Read(string name, string value)
    {
        switch (name.ToLowerInvariant())
        {
            case "x-envoy-retry-on" or "x-envoy-retry-grpc-on":
                RetryOn |= RetryOnParser.Parse(value);
                break;
            case "x-envoy-max-retries":
                MaxRetries = uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var retries) ? retries : MaxRetries;
                break;
            case "x-envoy-retriable-status-codes":
                foreach (var code in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                {
                    if (uint.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var status))
                    {
                        StatusCodes.Add(status);
                    }
                }

                break;
            case "x-envoy-retriable-header-names":
                ResponseHeaders.AddRange(value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
                break;
            case "x-envoy-upstream-rq-timeout-ms":
                Timeout = Milliseconds(value) ?? Timeout;
                break;
            case "x-envoy-upstream-rq-per-try-timeout-ms":
                PerTryTimeout = Milliseconds(value) ?? PerTryTimeout;
                break;
            case "x-envoy-upstream-stream-duration-ms":
                StreamDuration = Milliseconds(value) ?? StreamDuration;
                break;
            case "x-envoy-upstream-rq-timeout-alt-response":
                AlternativeTimeoutReply = true;
                break;
            case "x-envoy-hedge-on-per-try-timeout":
                HedgeOnPerTryTimeout = value switch
                {
                    "true" => true,
                    "false" => false,
                    _ => HedgeOnPerTryTimeout,
                };
                break;
            default:
                return false;
        }

        _taken.Add((name, value));
        return true;
    }

    private static TimeSpan? Milliseconds(string value)
        => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) ? TimeSpan.FromMilliseconds(milliseconds) : null;
}
