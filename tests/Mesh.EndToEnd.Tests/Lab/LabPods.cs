using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>What pods do.</summary>
internal static class LabPods
{
    public static RequestDelegate Text(string text) => context => context.Response.WriteAsync(text, context.RequestAborted);

    /// <summary>Answers with the value of a request header, or nothing.</summary>
    public static RequestDelegate Header(string name) => context => context.Response.WriteAsync(context.Request.Headers[name].ToString(), context.RequestAborted);

    /// <summary>Answers with method, host and path as they arrived.</summary>
    public static RequestDelegate RequestLine => context
        => context.Response.WriteAsync($"{context.Request.Method} {context.Request.Host} {context.Request.Path}{context.Request.QueryString}", context.RequestAborted);
}
