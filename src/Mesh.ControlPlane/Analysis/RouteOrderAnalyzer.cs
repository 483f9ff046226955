using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>Finds entries and matches that no request can reach, because earlier ones take all that they match.</summary>
internal sealed class RouteOrderAnalyzer
{
    /// <summary>Each match is compared with so many before it: a long table must not make every change slow.</summary>
    private const int MaxCompared = 200;

    private readonly ConfigResource _resource;
    private readonly ModelDiagnostics _diagnostics;
    private readonly Dictionary<HTTPMatchRequest, string> _same = [];
    private readonly List<(HTTPMatchRequest Match, string Path)> _taken = [];
    private string? _everything;

    private RouteOrderAnalyzer(ConfigResource resource, ModelDiagnostics diagnostics)
    {
        _resource = resource;
        _diagnostics = diagnostics;
    }

    public static void Analyze(ConfigResource resource, VirtualService spec, ModelDiagnostics diagnostics)
    {
        var analyzer = new RouteOrderAnalyzer(resource, diagnostics);
        for (var i = 0; i < spec.Http.Count; i++)
        {
            analyzer.Visit(spec.Http[i], $"spec.http[{i}]");
        }
    }

    private void Visit(HTTPRoute http, string path)
    {
        if (_everything is not null)
        {
            var split = http.Match.Count == 0 && http.Route.Count > 0
                ? "; to split traffic, list both destinations under one route, each with its weight"
                : "; move it before that one";
            _diagnostics.Warn(_resource, DiagnosticCodes.UnreachableRule, path, $"is never used: {_everything} already takes every request{split}");
            return;
        }

        if (http.Match.Count == 0)
        {
            // What a delegate does not match goes on to the next entry.
            _everything = http.Delegate is null ? path : null;
            return;
        }

        var unreachable = 0;
        for (var k = 0; k < http.Match.Count; k++)
        {
            var matchPath = $"{path}.match[{k}]";
            if (Taker(http.Match[k]) is { } reason)
            {
                unreachable++;
                _diagnostics.Warn(_resource, DiagnosticCodes.IneffectiveMatch, matchPath, $"is never used: {reason}");
            }
            else if (http.Delegate is null)
            {
                Take(http.Match[k], matchPath);
            }
        }

        if (unreachable == http.Match.Count)
        {
            _diagnostics.Warn(_resource, DiagnosticCodes.UnreachableRule, path, "is never used: earlier entries take all that it matches");
        }
    }

    /// <summary>Which earlier match leaves nothing to this one.</summary>
    private string? Taker(HTTPMatchRequest match)
    {
        if (_everything is not null)
        {
            return $"{_everything} already takes every request";
        }

        if (_same.TryGetValue(WithoutNames(match), out var first))
        {
            return $"{first} says the same and comes first";
        }

        var wider = _taken.Find(earlier => MatchCoverage.Covers(earlier.Match, match));
        return wider.Path is null ? null : $"{wider.Path} takes all that it matches and comes first";
    }

    private void Take(HTTPMatchRequest match, string path)
    {
        _same.Add(WithoutNames(match), path);
        if (_taken.Count < MaxCompared)
        {
            _taken.Add((match, path));
        }

        if (TakesEverything(match))
        {
            _everything = path;
        }
    }

    private static HTTPMatchRequest WithoutNames(HTTPMatchRequest match)
    {
        if (match.Name.Length == 0 && match.StatPrefix.Length == 0)
        {
            return match;
        }

        var copy = match.Clone();
        copy.Name = "";
        copy.StatPrefix = "";
        return copy;
    }

    /// <summary>Whatever the request and whoever asks.</summary>
    private static bool TakesEverything(HTTPMatchRequest match)
        => match is { Port: 0, SourceLabels.Count: 0, SourceNamespace: "", Gateways.Count: 0 }
            && RouteMatchTranslator.MatchesEverything(RouteMatchTranslator.Translate(ProxyKind.Mesh, match));
}
