-- Scores every lead from 0 to 100: up to 50 points for what its person spent, 20 for how often, 30 for how recently.
-- A lead and a buyer are the same person where their e-mail addresses are, whatever the case.
WITH purchase AS (
    SELECT lower(trim(coalesce(nullif(c.email, ''), o.billing_address ->> 'email'))) AS email,
           o.total_inc_tax AS total,
           o.date_created AS bought_at
    FROM orders o
    LEFT JOIN customers c ON c.id = o.customer_id -- guests have no customer: their billing address tells
    WHERE o.status_id NOT IN (0, 4, 5, 6)         -- incomplete, refunded, cancelled, declined
      AND NOT coalesce(o.is_deleted, false)
), buyer AS (
    SELECT email,
           sum(total) AS spent,
           count(*) AS orders,
           greatest(current_date - max(bought_at)::date, 0) AS days_ago
    FROM purchase
    WHERE email <> ''
    GROUP BY email
), scored AS (
    SELECT l."Id",
           coalesce(round(least(50, 8 * ln(1 + greatest(b.spent, 0) / 50))
                        + least(20, 4 * b.orders)
                        + 30 * exp(-b.days_ago / 180.0), 2), 0) AS score
    FROM lead_reverse l
    LEFT JOIN buyer b ON b.email = lower(trim(l."Email"))
)
UPDATE lead_reverse l
SET "LeadScore__c" = s.score
FROM scored s
WHERE s."Id" = l."Id" AND l."LeadScore__c" IS DISTINCT FROM s.score;
