using Mesh.Filters;

namespace Mesh.DataPlane.Filters.HeaderMutation;

/// <summary>One change of the parameters of a query.</summary>
internal sealed class QueryParameterAction(string name, HeaderFormat? value, HeaderWrite action)
{
    public static void Apply(QueryParameterAction[] actions, HttpExchange exchange)
    {
        if (actions.Length == 0)
        {
            return;
        }

        var parameters = QueryString.Parse(exchange.Path);
        foreach (var action in actions)
        {
            action.Apply(exchange, parameters);
        }

        exchange.Path = QueryString.Replace(exchange.Path, parameters);
    }

    private void Apply(HttpExchange exchange, List<(string Key, string Value)> parameters)
    {
        if (value is null)
        {
            parameters.RemoveAll(p => p.Key == name);
            return;
        }

        var first = parameters.FindIndex(p => p.Key == name);
        switch (action)
        {
            case HeaderWrite.Append:
            case HeaderWrite.AddIfAbsent when first < 0:
            case HeaderWrite.Overwrite when first < 0:
                parameters.Add((name, value.Render(exchange)));
                break;
            case HeaderWrite.Overwrite:
            case HeaderWrite.OverwriteIfExists when first >= 0:
                parameters.RemoveAll(p => p.Key == name);
                parameters.Insert(first, (name, value.Render(exchange)));
                break;
        }
    }
}
