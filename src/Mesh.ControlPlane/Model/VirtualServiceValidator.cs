using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>What makes a VirtualService unusable by itself: its last good version goes on serving.</summary>
internal static class VirtualServiceValidator
{
    public static bool Validate(ConfigResource source, VirtualService spec, ModelDiagnostics diagnostics)
    {
        var valid = true;
        for (var i = 0; i < spec.Http.Count; i++)
        {
            var http = spec.Http[i];
            var path = $"spec.http[{i}]";
            if (http.Route.Count > 1 && http.Route.Sum(route => (long)route.Weight) == 0)
            {
                valid = false;
                diagnostics.Error(source, DiagnosticCodes.Invalid, $"{path}.route", "the weights of the destinations sum to 0, so no request could go anywhere; give at least one a weight");
            }

            for (var j = 0; j < http.Route.Count; j++)
            {
                if (http.Route[j].Weight < 0)
                {
                    valid = false;
                    diagnostics.Error(source, DiagnosticCodes.Invalid, $"{path}.route[{j}].weight", $"weight {http.Route[j].Weight} is negative; weights are 0 or more");
                }

                if (string.IsNullOrEmpty(http.Route[j].Destination?.Host))
                {
                    valid = false;
                    diagnostics.Error(source, DiagnosticCodes.Invalid, $"{path}.route[{j}].destination.host", "a destination needs a host");
                }
            }

            if (http.Delegate is not null)
            {
                valid = false;
                diagnostics.Error(source, DiagnosticCodes.NotHonoured, $"{path}.delegate", "delegation is not honoured yet; write the delegate's routes here");
            }
            else if (http.Route.Count == 0 && http.Redirect is null && http.DirectResponse is null)
            {
                valid = false;
                diagnostics.Error(source, DiagnosticCodes.Invalid, path, "says nothing about what to do with a request; add route, redirect or directResponse");
            }
            else if (http.Route.Count > 0 && (http.Redirect is not null || http.DirectResponse is not null))
            {
                valid = false;
                diagnostics.Error(source, DiagnosticCodes.Invalid, path, "route excludes redirect and directResponse; keep one of them");
            }

            if (http.Redirect is { RedirectCode: not (0 or 301 or 302 or 303 or 307 or 308) } redirect)
            {
                valid = false;
                diagnostics.Error(source, DiagnosticCodes.Invalid, $"{path}.redirect.redirectCode", $"{redirect.RedirectCode} is no redirect; use 301, 302, 303, 307 or 308");
            }

            foreach (var field in NotHonoured(http))
            {
                diagnostics.Warn(source, DiagnosticCodes.NotHonoured, $"{path}.{field}", "is not honoured yet; the rest of the route is");
            }
        }

        return valid;
    }

    private static IEnumerable<string> NotHonoured(HTTPRoute http)
    {
        if (http.Rewrite is not null)
        {
            yield return "rewrite";
        }

        if (http.Retries is not null)
        {
            yield return "retries";
        }

        if (http.Fault is not null)
        {
            yield return "fault";
        }

        if (http.Mirror is not null)
        {
            yield return "mirror";
        }

        if (http.Mirrors.Count > 0)
        {
            yield return "mirrors";
        }

        if (http.CorsPolicy is not null)
        {
            yield return "corsPolicy";
        }

        if (http.Headers is not null)
        {
            yield return "headers";
        }

        if (http.Route.Any(route => route.Headers is not null))
        {
            yield return "route.headers";
        }
    }
}
