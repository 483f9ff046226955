using System.Globalization;
using System.Text;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Tests.Upstream;

/// <summary>Writes the tables of <c>docs/failures.md</c> from the code.</summary>
internal static class FailuresPage
{
    /// <summary>The tables by the names that the page gives them in <c>&lt;!-- table: name --&gt;</c>.</summary>
    public static IReadOnlyDictionary<string, string> Tables { get; } = new Dictionary<string, string>
    {
        ["routing"] = Replies(LocalReplyTable.Routing),
        ["hosts"] = Replies(LocalReplyTable.Hosts),
        ["clocks"] = Replies(LocalReplyTable.Clocks),
        ["filters"] = Replies(LocalReplyTable.Filters),
        ["inbound"] = Replies(LocalReplyTable.Inbound),
        ["flagged"] = Rows(
            "| cause | flags |\n|---|---|\n",
            LocalReplyTable.Flagged.Select(r => $"| {r.Cause} | `{r.Flags}` |")),
        ["exceptions"] = Rows(
            "| cause | exception | `HttpRequestError` | flags | details |\n|---|---|---|---|---|\n",
            LocalReplyTable.Exceptions.Select(r => $"| {r.Cause} | `{r.Exception.Name}` | {r.Error?.ToString() ?? "–"} | {Code(r.Flags)} | {Code(r.Details)} |")),
    };

    private static string Replies(LocalReplyRow[] rows) => Rows(
        "| cause | status | flags | details | body | gRPC | headers | `HttpRequestError` |\n|---|---|---|---|---|---|---|---|\n",
        rows.Select(Row));

    private static string Row(LocalReplyRow row)
    {
        var reply = row.Reply;
        var status = ((int)reply.Status).ToString(CultureInfo.InvariantCulture);
        return $"| {row.Cause}{(row.IsNotYet ? " *(not yet)*" : "")} | {(row.Configured is "as written" ? row.Configured : row.Configured is { } how ? $"{status} ({how})" : status)} | {Code(reply.Flags)} "
            + $"| {Code(reply.Details)} | {Code(reply.Body)} | {(row.Configured is "as written" ? "from the status" : LocalReplies.GrpcStatus(reply))} "
            + $"| {(reply.Headers.Length == 0 ? "–" : string.Join(", ", reply.Headers.Select(h => Code($"{h.Name}: {h.Value}"))))} "
            + $"| {(reply.IsAnswer || (int)reply.Status < 400 ? "a response" : reply.Error.ToString())} |";
    }

    // A table's cell ends at a bar, even within code.
    private static string Code(string text) => text.Length == 0 ? "–" : $"`{text.Replace("|", "\\|", StringComparison.Ordinal)}`";

    private static string Rows(string head, IEnumerable<string> rows)
    {
        var text = new StringBuilder(head);
        foreach (var row in rows)
        {
            text.Append(row).Append('\n');
        }

        return text.ToString();
    }
}
