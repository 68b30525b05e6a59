namespace Quilt.Quantizer.Quality;

/// <summary>A text to compare models on where none is given: prose, code, numbers and several languages, a little of each.</summary>
internal static class DefaultText
{
    /// <summary>The text.</summary>
    public const string Text = """"
        The ferry was late again, so the harbour master let the children climb onto the old crane and told them how it had once lifted
        whole locomotives out of the holds of ships. Nobody quite believed him. The hook alone, he said, weighs as much as three cows, and
        when the wind is right you can hear the chain sing. By the time the lights of the boat came round the headland it was nearly dark,
        and the smallest of them had fallen asleep on a coil of rope with her shoes still on.

        Why does bread go stale? Not because it dries out, although it does that too. When dough is baked, the starch in the flour takes up
        water and swells; as the loaf cools, the starch slowly lines up into crystals again and pushes the water out. That is why a stale
        slice becomes soft for a while when it is toasted, and why bread keeps worse in the refrigerator than in a drawer.

        public static int LongestRun(ReadOnlySpan<int> values)
        {
            var (best, length) = (0, 0);
            for (var i = 0; i < values.Length; i++)
            {
                length = i > 0 && values[i] == values[i - 1] ? length + 1 : 1;
                best = Math.Max(best, length);
            }
            return best;
        }

        def merge(left, right):
            """Merges two sorted lists into one."""
            result, i, j = [], 0, 0
            while i < len(left) and j < len(right):
                if left[i] <= right[j]:
                    result.append(left[i]); i += 1
                else:
                    result.append(right[j]); j += 1
            return result + left[i:] + right[j:]

        SELECT city, COUNT(*) AS orders, AVG(total) AS mean_total
        FROM orders WHERE placed_at >= '2024-01-01' GROUP BY city HAVING COUNT(*) > 10 ORDER BY orders DESC;

        {"name": "get_weather", "arguments": {"city": "Lisbon", "unit": "celsius", "days": 3}}

        Let a and b be even numbers. Then a = 2m and b = 2n for whole numbers m and n, so a + b = 2m + 2n = 2(m + n), which is even. For
        example 14 + 28 = 42, and 42 / 2 = 21. The same does not hold for odd numbers: 3 + 5 = 8.

        Am Morgen lag Nebel über dem Fluss, und die Brücke schien nirgends zu enden. Die Bäckerin stellte zwei Körbe vor die Tür, zählte
        die Brötchen noch einmal nach und schrieb mit Kreide den Preis an die Tafel.

        Le train s'arrêta en pleine campagne, sans raison apparente. Un homme ouvrit la fenêtre, regarda les vaches et déclara que l'on
        arriverait bien un jour ; personne ne lui répondit.

        La biblioteca cierra a las ocho, pero el bibliotecario siempre espera a que el último lector termine su página. «Un capítulo más»,
        dice, y vuelve a encender la lámpara.

        Бабушка поставила самовар и рассказала, как в её детстве река каждую весну поднималась до самого крыльца.

        春天来了，河边的柳树发了新芽。老师带着学生们去公园画画，小明画了一只站在石头上的白鹭。

        駅前の本屋は夜九時まで開いている。雨の日には、傘を忘れた人のために入り口に古い傘が並べてある。

        할머니는 시장에서 사과 다섯 개와 배 두 개를 사고, 남은 돈으로 손녀에게 공책을 사 주었다.

        وصلنا إلى القرية قبل الغروب، وكان أهلها قد أعدّوا لنا الشاي والخبز الساخن.

        User: My train leaves at 14:05 and the way to the station takes 25 minutes. When should I leave if I want to be ten minutes early?
        Assistant: You want to be there at 13:55. Minus 25 minutes for the way, that is 13:30. Leave at half past one.

        # Checklist
        1. Stop the service and make a copy of the database.
        2. Run `migrate --dry-run` and read what it would do.
        3. If nothing looks wrong, run it again without `--dry-run`, then start the service and look at the log for five minutes.
        """";
}
