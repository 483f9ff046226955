using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class HttpRouteValidator
{
    public static void Validate(HTTPRoute route, string path, ValidationContext context)
    {
        ValidateAction(route, path, context);
        for (var i = 0; i < route.Match.Count; i++)
        {
            HttpMatchValidator.Validate(route.Match[i], $"{path}.match[{i}]", context);
        }

        RouteDestinationValidator.ValidateAll([.. route.Route.Select(r => ((Destination?)r.Destination, r.Weight))], $"{path}.route", context);
        ValidateHeaders(route.Headers, $"{path}.headers", context);
        for (var i = 0; i < route.Route.Count; i++)
        {
            ValidateHeaders(route.Route[i].Headers, $"{path}.route[{i}].headers", context);
        }

        ValidateMirrors(route, path, context);
        FieldRules.AtLeastAMillisecond(route.Timeout, $"{path}.timeout", context, zeroDisables: true);
        HttpRetryValidator.Validate(route.Retries, $"{path}.retries", context);
        HttpFaultValidator.Validate(route.Fault, $"{path}.fault", context);
        ValidateRedirect(route.Redirect, $"{path}.redirect", context);
        if (route.DirectResponse is { Status: < 200 or > 599 } response)
        {
            context.Error($"{path}.directResponse.status", $"must be from 200 to 599, not {response.Status}.");
        }

        if (route.Rewrite is { Uri: "", Authority: "", UriRegexRewrite: null })
        {
            context.Error($"{path}.rewrite", "rewrites nothing: give uri, uriRegexRewrite or authority.");
        }
        else if (route.Rewrite is { Uri: not "", UriRegexRewrite: not null })
        {
            context.Error($"{path}.rewrite", "cannot have both uri and uriRegexRewrite: keep one.");
        }
        else if (route.Rewrite?.UriRegexRewrite is { } regex)
        {
            context.Regex($"{path}.rewrite.uriRegexRewrite.match", regex.Match);
        }
    }

    private static void ValidateAction(HTTPRoute route, string path, ValidationContext context)
    {
        var actions = new List<string>(4);
        Note(route.Delegate is not null, "delegate");
        Note(route.Redirect is not null, "redirect");
        Note(route.DirectResponse is not null, "directResponse");
        Note(route.Route.Count > 0, "route");
        if (actions.Count == 0)
        {
            context.Error(path, "does nothing: give it route, redirect, directResponse or delegate.");
        }
        else if (actions.Count > 1)
        {
            context.Error($"{path}.{actions[0]}", $"cannot be given beside {string.Join(" and ", actions.Skip(1))}: keep one.");
        }
        else if (actions[0] is "redirect" or "directResponse")
        {
            if (route.Fault is not null)
            {
                context.Error($"{path}.fault", $"cannot be given beside {actions[0]}.");
            }

            if (route.Rewrite is not null)
            {
                context.Error($"{path}.rewrite", $"cannot be given beside {actions[0]}.");
            }
        }

        void Note(bool given, string name)
        {
            if (given)
            {
                actions.Add(name);
            }
        }
    }

    private static void ValidateMirrors(HTTPRoute route, string path, ValidationContext context)
    {
        if (route.Mirror is not null && route.Mirrors.Count > 0)
        {
            context.Error($"{path}.mirror", "cannot be given beside mirrors: move it into the list.");
        }

        if (route.Mirror is { } mirror)
        {
            RouteDestinationValidator.Validate(mirror, $"{path}.mirror", context);
        }

#pragma warning disable CS0612 // Istio still accepts it.
        if (route.MirrorPercent is > 100)
        {
            context.Error($"{path}.mirrorPercent", $"must be from 0 to 100, not {route.MirrorPercent}.");
        }
#pragma warning restore CS0612

        FieldRules.Percentage(route.MirrorPercentage, $"{path}.mirrorPercentage", context);
        for (var i = 0; i < route.Mirrors.Count; i++)
        {
            if (route.Mirrors[i].Destination is { } destination)
            {
                RouteDestinationValidator.Validate(destination, $"{path}.mirrors[{i}].destination", context);
            }
            else
            {
                context.Error($"{path}.mirrors[{i}].destination", "is required: name the host to mirror to.");
            }

            FieldRules.Percentage(route.Mirrors[i].Percentage, $"{path}.mirrors[{i}].percentage", context);
        }
    }

    private static void ValidateRedirect(HTTPRedirect? redirect, string path, ValidationContext context)
    {
        if (redirect is { Uri: "", Authority: "", Scheme: "", RedirectPortCase: HTTPRedirect.RedirectPortOneofCase.None })
        {
            context.Error(path, "goes nowhere: give uri, authority, scheme or port.");
        }

        if (redirect is { RedirectCode: not (0 or 301 or 302 or 303 or 307 or 308) })
        {
            context.Error($"{path}.redirectCode", $"must be 301, 302, 303, 307 or 308, not {redirect.RedirectCode}.");
        }
    }

    private static void ValidateHeaders(Headers? headers, string path, ValidationContext context)
    {
        Operations(headers?.Request, $"{path}.request", authority: true);
        Operations(headers?.Response, $"{path}.response", authority: false);

        void Operations(Headers.Types.HeaderOperations? operations, string at, bool authority)
        {
            if (operations is null)
            {
                return;
            }

            foreach (var (verb, names) in new[] { ("set", operations.Set.Keys), ("add", operations.Add.Keys), ("remove", operations.Remove as IEnumerable<string>) })
            {
                foreach (var name in names)
                {
                    var host = name.Equals("host", StringComparison.OrdinalIgnoreCase);
                    var settable = authority && verb != "remove" && (host || name.Equals(":authority", StringComparison.OrdinalIgnoreCase));
                    if (!settable && (host || !FieldRules.IsHeaderName(name)))
                    {
                        context.Error($"{at}.{verb}", $"\"{name}\" is not a header that can be changed here.");
                    }
                }
            }
        }
    }
}
