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
        HeaderOperationsValidator.Validate(route.Headers, $"{path}.headers", context);
        HeaderOperationsValidator.OneAuthority(route.Rewrite, route.Headers, path, context);
        for (var i = 0; i < route.Route.Count; i++)
        {
            HeaderOperationsValidator.Validate(route.Route[i].Headers, $"{path}.route[{i}].headers", context);
            HeaderOperationsValidator.OneAuthority(null, route.Route[i].Headers, $"{path}.route[{i}]", context);
        }

        ValidateMirrors(route, path, context);
        FieldRules.AtLeastAMillisecond(route.Timeout, $"{path}.timeout", context, zeroDisables: true);
        HttpRetryValidator.Validate(route.Retries, route.Timeout, $"{path}.retries", context);
        HttpFaultValidator.Validate(route.Fault, $"{path}.fault", context);
        CorsPolicyValidator.Validate(route.CorsPolicy, $"{path}.corsPolicy", context);
        LocalReplyValidator.Validate(route.Redirect, route.Match, $"{path}.redirect", context);
        LocalReplyValidator.Validate(route.DirectResponse, $"{path}.directResponse", context);
        HttpRewriteValidator.Validate(route.Rewrite, $"{path}.rewrite", context);
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

            WarnOfUnused(route, actions[0], path, context);
        }
        else if (route.Delegate is { Name: "" })
        {
            context.Error($"{path}.delegate.name", "is required: name the VirtualService that has the routes.");
        }

        void Note(bool given, string name)
        {
            if (given)
            {
                actions.Add(name);
            }
        }
    }

    /// <summary>What only a request that is sent can have.</summary>
    private static void WarnOfUnused(HTTPRoute route, string action, string path, ValidationContext context)
    {
        foreach (var (given, name) in new[]
        {
            (route.Timeout is not null, "timeout"), (route.Retries is not null, "retries"), (route.Mirror is not null, "mirror"), (route.Mirrors.Count > 0, "mirrors"),
        })
        {
            if (given)
            {
                context.Warn($"{path}.{name}", $"does nothing beside {action}, which sends no request.");
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
}
