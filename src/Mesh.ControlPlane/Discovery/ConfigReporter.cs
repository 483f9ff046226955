using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Reading;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Registry;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Discovery;

/// <summary>Tells the log what was applied and, once each, what is wrong.</summary>
internal sealed partial class ConfigReporter(ILogger logger)
{
    private const int MaxNames = 10;
    private const int MaxProblems = 5;
    private const int MaxProblemLength = 200;

    private Dictionary<(string Kind, string Namespace, string Name), ConfigResource> _applied = [];
    private HashSet<string> _told = new(StringComparer.Ordinal);

    public void Report(ConfigSnapshot snapshot, IReadOnlyList<ConfigDiagnostic> diagnostics)
    {
        ReportChanges(snapshot);
        var telling = new HashSet<string>(StringComparer.Ordinal);
        foreach (var diagnostic in diagnostics)
        {
            var text = diagnostic.ToString();
            if (telling.Add(text) && !_told.Contains(text))
            {
                Log.Wrong(logger, diagnostic.Severity == ConfigSeverity.Error ? LogLevel.Error : LogLevel.Warning, text);
            }
        }

        // What was put right is told again when it breaks again.
        _told = telling;
    }

    public void ReportUnselected(WorkloadInstance workload)
        => Log.Unselected(logger, workload.Name, workload.Namespace, string.Join(", ", workload.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}")));

    public void ReportContested(string nodeId, IReadOnlyList<SidecarRule> sidecars)
        => Log.Contested(logger, nodeId, string.Join(", ", sidecars.Select(sidecar => sidecar.Source)), sidecars[0].Source.Name);

    /// <summary>Reads a node's annotation <c>proxy.istio.io/config</c>, and tells what is wrong with it: it stands in no document.</summary>
    public ProxyConfigAnnotation? ReadAnnotation(string nodeId, NodeMetadata metadata)
    {
        if (metadata.Annotation(ProxyConfigAnnotation.Key) is not { Length: > 0 } text)
        {
            return null;
        }

        var problems = new List<string>();
        var annotation = ProxyConfigAnnotation.Read(text, problems);
        if (problems.Count > 0)
        {
            Log.Annotation(
                logger,
                nodeId,
                annotation is null ? "it does not apply" : "the rest of it applies",
                string.Join(" ", problems.Take(MaxProblems).Select(problem => Printable(problem))));
        }

        return annotation;
    }

    // Nodes write it.
    private static string Printable(string problem)
        => string.Concat(problem.Take(MaxProblemLength).Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c));

    private void ReportChanges(ConfigSnapshot snapshot)
    {
        var now = new Dictionary<(string Kind, string Namespace, string Name), ConfigResource>(snapshot.Resources.Count);
        var changes = new List<string>();
        foreach (var resource in snapshot.Resources)
        {
            now[resource.Key] = resource;
            if (!_applied.TryGetValue(resource.Key, out var before))
            {
                changes.Add($"added {resource}");
            }
            else if (!ReferenceEquals(before, resource) && !before.Spec.Equals(resource.Spec))
            {
                changes.Add($"changed {resource}");
            }
        }

        changes.AddRange(_applied.Where(before => !now.ContainsKey(before.Key)).Select(before => $"removed {before.Value}"));
        _applied = now;
        if (changes.Count > 0)
        {
            var rest = changes.Count > MaxNames ? $" and {changes.Count - MaxNames} more" : "";
            Log.Applied(logger, snapshot.Version, string.Join(", ", changes.Take(MaxNames)) + rest);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3311, LogLevel.Information, "Configuration {Version} is live: {Changes}.")]
        public static partial void Applied(ILogger logger, long version, string changes);

        [LoggerMessage(3313, LogLevel.Warning, "No Service of its namespace selects the workload {Name} in {Namespace} (labels: {Labels}), so no request is sent to it.")]
        public static partial void Unselected(ILogger logger, string name, string @namespace, string labels);

        [LoggerMessage(3314, LogLevel.Warning, "The labels of node {NodeId} are selected by several Sidecars ({Sidecars}): {First}, the oldest, counts. Make their workloadSelectors exclude each other.")]
        public static partial void Contested(ILogger logger, string nodeId, string sidecars, string first);

        [LoggerMessage(3315, LogLevel.Warning, "The annotation proxy.istio.io/config of node {NodeId} has something that is not applied, and {Rest}: {Problems}")]
        public static partial void Annotation(ILogger logger, string nodeId, string rest, string problems);

        [LoggerMessage(EventId = 3312, Message = "{Diagnostic}")]
        public static partial void Wrong(ILogger logger, LogLevel level, string diagnostic);
    }
}
