using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ControlPlane.Debug;

namespace Mesh.ControlPlane.Load;

/// <summary>Who calls whom, as JSON.</summary>
internal sealed class LoadPage(ServiceGraphReader graph) : IDebugPage
{
    public string Name => "load";

    public string Summary => "who calls whom, how often and with which result, by the clients' load reports; ?over=<seconds>&source=<workload>.<namespace>&service=<host>";

    public JsonNode Read(DebugQuery query)
    {
        var over = ServiceGraphReader.DefaultOver;
        if (query["over"] is { } text)
        {
            over = double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds >= 1 && seconds <= graph.Longest.TotalSeconds
                ? TimeSpan.FromSeconds(seconds)
                : throw new DebugQueryException(400, string.Create(CultureInfo.InvariantCulture, $"over={text}: give seconds, from 1 to {graph.Longest.TotalSeconds}"));
        }

        var now = graph.Read(over);
        return new JsonObject
        {
            ["at"] = now.At.ToString("O", CultureInfo.InvariantCulture),
            ["overSeconds"] = now.Over.TotalSeconds,
            ["edges"] = new JsonArray([.. now.Edges
                .Where(e => query.Allows("source", $"{e.Source.Workload}.{e.Source.Namespace}") && query.Allows("service", e.Destination.Host))
                .Select(Of)]),
            ["clients"] = new JsonArray([.. now.Clients.Select(c => new JsonObject
            {
                ["node"] = c.Node,
                ["workload"] = $"{c.Workload.Workload}.{c.Workload.Namespace}",
                ["connected"] = c.IsConnected,
                ["lastReport"] = c.LastReport.ToString("O", CultureInfo.InvariantCulture),
            })]),
        };
    }

    private static JsonObject Of(ServiceGraphEdge edge)
    {
        var json = new JsonObject
        {
            ["source"] = Of(edge.Source),
            ["instances"] = edge.Instances,
            ["cluster"] = edge.Destination.Cluster,
            ["service"] = edge.Destination.Host,
            ["port"] = edge.Destination.Port,
            ["subset"] = edge.Destination.Subset,
            ["rates"] = Of(edge.Rates),
            ["localities"] = new JsonArray([.. edge.Localities.Select(l => new JsonObject { ["locality"] = l.Locality, ["priority"] = l.Priority, ["rates"] = Of(l.Rates) })]),
            ["endpoints"] = new JsonArray([.. edge.Endpoints.Select(e => new JsonObject
            {
                ["address"] = e.Address,
                ["locality"] = e.Locality,
                ["workload"] = e.Workload is null ? null : Of(e.Workload),
                ["rates"] = Of(e.Rates),
            })]),
        };
        var dropped = new JsonObject();
        foreach (var (category, perSecond) in edge.Dropped.OrderBy(d => d.Key, StringComparer.Ordinal))
        {
            dropped[category] = Round(perSecond);
        }

        json["dropped"] = dropped;
        return json;
    }

    private static JsonObject Of(LoadSource source) => new()
    {
        ["namespace"] = source.Namespace,
        ["workload"] = source.Workload,
        ["app"] = source.App,
        ["version"] = source.Version,
        ["cluster"] = source.Cluster,
    };

    private static JsonObject Of(LoadRates rates)
    {
        var byStatus = new JsonObject();
        foreach (var (status, perSecond) in rates.ByStatus)
        {
            byStatus[status] = Round(perSecond);
        }

        return new JsonObject
        {
            ["requests"] = Round(rates.Requests),
            ["errors"] = Round(rates.Errors),
            ["byStatus"] = byStatus,
            ["meanMilliseconds"] = rates.MeanMilliseconds is { } mean ? Round(mean) : null,
            ["attempts"] = Round(rates.Attempts),
            ["failedAttempts"] = Round(rates.FailedAttempts),
            ["inProgress"] = rates.InProgress,
            ["newConnections"] = Round(rates.NewConnections),
            ["failedConnections"] = Round(rates.FailedConnections),
            ["activeConnections"] = rates.ActiveConnections,
            ["bytesSent"] = Round(rates.BytesSent),
            ["bytesReceived"] = Round(rates.BytesReceived),
        };
    }

    private static double Round(double value) => Math.Round(value, 4);
}
