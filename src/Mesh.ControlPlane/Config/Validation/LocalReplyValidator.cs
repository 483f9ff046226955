using Google.Protobuf;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Routes that answer by themselves: <c>redirect</c> and <c>directResponse</c>.</summary>
internal static class LocalReplyValidator
{
    private const int LargeBody = 100 * 1024;
    private const int LargestBody = 1024 * 1024;

    public static void Validate(HTTPRedirect? redirect, IReadOnlyList<HTTPMatchRequest> matches, string path, ValidationContext context)
    {
        if (redirect is null)
        {
            return;
        }

        if (redirect is { Uri: "", PrefixRewrite: "", Authority: "", Scheme: "", RedirectPortCase: HTTPRedirect.RedirectPortOneofCase.None })
        {
            context.Error(path, "goes nowhere: give uri, authority, scheme or port.");
        }

        if (redirect.RedirectCode is not (0 or 301 or 302 or 303 or 307 or 308))
        {
            context.Error($"{path}.redirectCode", $"must be 301, 302, 303, 307 or 308, not {redirect.RedirectCode}.");
        }

        if (redirect.Scheme is not ("" or "http" or "https"))
        {
            context.Error($"{path}.scheme", $"must be http or https, not \"{redirect.Scheme}\".");
        }

        if (redirect.RedirectPortCase == HTTPRedirect.RedirectPortOneofCase.Port)
        {
            FieldRules.Port(redirect.Port, $"{path}.port", context);
        }

        if (redirect.Authority.Length > 0)
        {
            HeaderOperationsValidator.Authority(redirect.Authority, $"{path}.authority", context);
        }

        ValidatePath(redirect, matches, path, context);
    }

    public static void Validate(HTTPDirectResponse? response, string path, ValidationContext context)
    {
        if (response is null)
        {
            return;
        }

        if (response.Status is < 200 or > 599)
        {
            context.Error($"{path}.status", $"must be from 200 to 599, not {response.Status}.");
        }

        var size = response.Body?.SpecifierCase switch
        {
            HTTPBody.SpecifierOneofCase.String => ByteString.CopyFromUtf8(response.Body.String).Length,
            HTTPBody.SpecifierOneofCase.Bytes => response.Body.Bytes.Length,
            _ => 0,
        };
        if (size > LargestBody)
        {
            context.Error($"{path}.body", $"has {size} bytes, more than the {LargestBody} that a route may carry: serve it from an application.");
        }
        else if (size > LargeBody)
        {
            context.Warn($"{path}.body", $"has {size} bytes, which every client receives with its routes: better serve it from an application.");
        }
    }

    private static void ValidatePath(HTTPRedirect redirect, IReadOnlyList<HTTPMatchRequest> matches, string path, ValidationContext context)
    {
        const string placeholder = "%PREFIX()%";
        if (redirect.Uri.Length > 0 && redirect.PrefixRewrite.Length > 0)
        {
            context.Error(path, "cannot have both uri and prefixRewrite: keep one.");
            return;
        }

        var prefix = redirect.PrefixRewrite.Length > 0 ? "prefixRewrite" : redirect.Uri.StartsWith(placeholder, StringComparison.Ordinal) ? "uri" : null;
        if (prefix is not null)
        {
            for (var i = 0; i < matches.Count; i++)
            {
                if (matches[i].Uri is { HasPrefix: false })
                {
                    context.Error($"{path}.{prefix}", $"takes the place of a prefix, which match[{i}].uri is not: match by prefix, or write the whole uri.");
                    return;
                }
            }
        }

        var value = redirect.PrefixRewrite.Length > 0 ? redirect.PrefixRewrite : prefix is null ? redirect.Uri : redirect.Uri[placeholder.Length..];
        if (value.Length > 0)
        {
            HttpRewriteValidator.Path(value, $"{path}.{prefix ?? "uri"}", context);
        }
    }
}
