using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Bookinfo.ProductPage;

/// <summary>The counter <c>request_result</c> by called service and status, in Prometheus' text format.</summary>
internal sealed class RequestResults
{
    private readonly ConcurrentDictionary<(string App, int Code), long> _counts = new();

    public void Count(string destinationApp, int responseCode)
        => _counts.AddOrUpdate((destinationApp, responseCode), 1, static (_, count) => count + 1);

    public string Write()
    {
        var text = new StringBuilder()
            .Append("# HELP request_result_total Results of requests\n")
            .Append("# TYPE request_result_total counter\n");
        foreach (var ((app, code), count) in _counts.OrderBy(pair => pair.Key))
        {
            text.Append(CultureInfo.InvariantCulture, $"request_result_total{{destination_app=\"{app}\",response_code=\"{code}\"}} {count}.0\n");
        }

        return text.ToString();
    }
}
